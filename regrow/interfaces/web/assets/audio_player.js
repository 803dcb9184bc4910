(() => {
  const all = e => [...e.closest('.players').querySelectorAll('audio')];
  const mark = sound => all(sound).forEach(a => a.closest('figure').classList.toggle('now', a === sound));
  document.addEventListener('click', event => {
    const seen = event.target.closest?.('.players .seen');
    if (seen) {
      const audio = seen.closest('figure').querySelector('audio'), box = seen.getBoundingClientRect();
      if (audio.duration) audio.currentTime = audio.duration * (event.clientX - box.left) / box.width;
    } else if (event.target.closest?.('.players .switch')) {
      const sounds = all(event.target), last = sounds.findIndex(a => a.closest('figure').matches('.now'));
      const next = sounds[(last + 1) % sounds.length];
      if (last >= 0) { next.currentTime = sounds[last].currentTime; sounds[last].pause(); }
      mark(next);  // the event comes later
      next.play();
    }
  });
  document.addEventListener('change', event => {
    if (event.target.matches('.players .loop')) all(event.target).forEach(a => { a.loop = event.target.checked; });
  });
  document.addEventListener('play', event => {
    if (!event.target.closest?.('.players')) return;
    document.querySelectorAll('.players audio').forEach(a => { if (a !== event.target) a.pause(); });
    mark(event.target);
  }, true);
  for (const kind of ['timeupdate', 'seeked']) document.addEventListener(kind, event => {
    const line = event.target.closest?.('.players figure')?.querySelector('.seen i');
    if (line) line.style.left = 100 * event.target.currentTime / event.target.duration + '%';
  }, true);
})();
