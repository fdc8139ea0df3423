/* Paperleaf 3.2.1 */
function startClock() {
  var place = document.getElementById('clock');
  if (!place) return;
  place.innerHTML = new Date().toLocaleTimeString();
  window.setTimeout(startClock, 1000);
}
function reallySave() {
  return window.confirm('Save changes?');
}
