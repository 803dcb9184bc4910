// The line between before and after, moved by keyboard and announced to screen readers; gradio's takes a mouse alone.
(() => {
  const STEP = 5;  // percent of the width that an arrow key moves the line by
  const place = line => {
    const wrap = line.parentElement.getBoundingClientRect(), box = line.getBoundingClientRect();
    return [wrap, (box.left + box.width / 2 - wrap.left) / wrap.width];
  };
  const announce = line => line.setAttribute('aria-valuenow', Math.round(100 * place(line)[1]));
  const name = slider => {
    const label = slider.closest('.block')?.querySelector('label')?.innerText.trim() ?? '';
    slider.parentElement.querySelectorAll('img').forEach(img => { img.alt = label; });
    Object.entries({'role': 'slider', 'tabindex': 0, 'aria-label': label, 'aria-valuemin': 0, 'aria-valuemax': 100})
      .forEach(([key, value]) => slider.setAttribute(key, value));
    announce(slider);
  };
  new MutationObserver(() => document.querySelectorAll('[data-testid=slider]:not([tabindex])').forEach(name))
    .observe(document, {childList: true, subtree: true});
  document.addEventListener('keydown', event => {
    const line = event.target.closest?.('[data-testid=slider][tabindex]');
    const by = {ArrowLeft: -STEP, ArrowDown: -STEP, ArrowRight: STEP, ArrowUp: STEP, Home: -100, End: 100}[event.key];
    if (!line || !by) return;
    event.preventDefault();
    const [wrap, share] = place(line), y = wrap.top + wrap.height / 2;
    const from = wrap.left + share * wrap.width;
    const to = wrap.left + Math.min(1, Math.max(0, share + by / 100)) * wrap.width;
    // as a mouse would, for nothing else moves it
    const mouse = (target, kind, x) => target.dispatchEvent(new MouseEvent(kind,
      {bubbles: true, cancelable: true, view: window, clientX: x, clientY: y, button: 0}));
    mouse(line.querySelector('.inner') ?? line, 'mousedown', from);
    mouse(window, 'mousemove', to);
    mouse(window, 'mouseup', to);
  });
  for (const kind of ['mouseup', 'touchend']) window.addEventListener(kind, () => requestAnimationFrame(
    () => document.querySelectorAll('[data-testid=slider][tabindex]').forEach(announce)));
})();
