// Runs before the first paint, so that a dark page does not flash white.
{
  const kept = localStorage.getItem("regrow theme");
  if (kept) document.documentElement.dataset.theme = kept;
}
