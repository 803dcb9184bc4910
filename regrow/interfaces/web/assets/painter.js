const most = 1024;  // pixels of the longer side: a mask is stretched over its picture anyway
const tool = (name, press) => {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = name;
  button.onclick = () => press(button);
  return button;
};
const build = () => {
  const root = element.querySelector('.painter'), { picture, mask, words } = props.value || {};
  if (!root) return;
  root.replaceChildren();
  if (!picture) return;
  const canvas = document.createElement('canvas'), ink = canvas.getContext('2d');
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', words.canvas);
  canvas.tabIndex = 0;  // so that what is typed after a stroke is for it
  let last = null, erases = false, saves = 0;
  const before = [];  // what undo goes back to
  const remember = () => before.push(ink.getImageData(0, 0, canvas.width, canvas.height)) > 20 && before.shift();
  const undo = () => { const was = before.pop(); if (was) { ink.putImageData(was, 0, 0); save(); } };
  root.onkeydown = event => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 'z') return;
    event.preventDefault();  // a browser would undo the words that were typed last
    undo();
  };
  const save = () => {
    const mine = ++saves;  // what is painted last counts, in whatever order the uploads end
    const { width, height } = canvas, whole = document.createElement('canvas');
    const painted = ink.getImageData(0, 0, width, height);
    let any = false;
    for (let i = 0; i < painted.data.length; i += 4) {
      const grey = painted.data[i + 3];
      any ||= grey > 0;
      painted.data.set([grey, grey, grey, 255], i);
    }
    if (!any) return trigger('painted', { path: '' });
    Object.assign(whole, { width, height });
    whole.getContext('2d').putImageData(painted, 0, 0);
    whole.toBlob(async blob => {
      const { path } = await upload(new File([blob], 'mask.png', { type: 'image/png' }));
      if (mine === saves) trigger('painted', { path });
    });
  };
  const size = Object.assign(document.createElement('input'), { type: 'range', min: 2, max: 40, value: 12 });
  const wide = document.createElement('label');
  wide.append(words.size, size);
  const modes = [tool(words.brush, () => choose(false)), tool(words.eraser, () => choose(true))];
  const choose = wanted => {
    erases = wanted;
    modes.forEach((button, i) => button.setAttribute('aria-pressed', (i === 1) === erases));
  };
  choose(false);
  const clear = tool(words.clear, () => { remember(); ink.clearRect(0, 0, canvas.width, canvas.height); save(); });
  const tools = document.createElement('div'), board = document.createElement('div');
  tools.className = 'tools';
  tools.append(...modes, wide, tool(words.undo, undo), clear);
  board.className = 'board';
  const image = new Image();
  image.alt = '';
  image.onload = () => {
    const scale = Math.min(1, most / Math.max(image.naturalWidth, image.naturalHeight));
    canvas.width = Math.max(1, Math.round(image.naturalWidth * scale));
    canvas.height = Math.max(1, Math.round(image.naturalHeight * scale));
    if (!mask) return;
    const laid = new Image();
    laid.onload = () => {
      ink.drawImage(laid, 0, 0, canvas.width, canvas.height);
      const pixels = ink.getImageData(0, 0, canvas.width, canvas.height);
      for (let i = 0; i < pixels.data.length; i += 4)
        pixels.data.set([34, 197, 94, pixels.data[i + 3] * pixels.data[i] / 255], i);
      ink.putImageData(pixels, 0, 0);
    };
    laid.src = mask;
  };
  image.src = picture;
  const place = event => {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width * canvas.width,
            (event.clientY - box.top) / box.height * canvas.height];
  };
  const stroke = event => {
    const [x, y] = place(event);
    ink.globalCompositeOperation = erases ? 'destination-out' : 'source-over';
    ink.strokeStyle = '#22c55e';
    ink.lineCap = ink.lineJoin = 'round';
    ink.lineWidth = size.value / 100 * Math.max(canvas.width, canvas.height);
    ink.beginPath();
    ink.moveTo(...(last || [x, y]));
    ink.lineTo(x, y);
    ink.stroke();
    last = [x, y];
  };
  canvas.onpointerdown = event => { 
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    remember();
    last = null;
    stroke(event);
  };
  canvas.onpointermove = event => { if (last) stroke(event); };
  canvas.onpointerup = canvas.onpointercancel = () => {
    if (!last) return;
    last = null;
    ink.globalCompositeOperation = 'source-over';
    save();
  };
  board.append(image, canvas);
  root.append(tools, board);
};
build();
watch('value', build);
