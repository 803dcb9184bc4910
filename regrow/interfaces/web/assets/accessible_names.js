() => {
  const name = () => {
    const label = document.querySelector('PICTURE label')?.innerText.trim();
    for (const img of document.querySelectorAll('PICTURE img')) {
      img.alt = label;
      img.closest('button')?.setAttribute('aria-label', label);
    }
  };
  setTimeout(name, 100);
}
