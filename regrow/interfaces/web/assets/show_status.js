() => {
  if (innerWidth < 700) document.querySelector('#edit-status').scrollIntoView({ behavior: 'smooth', block: 'start' });
}
