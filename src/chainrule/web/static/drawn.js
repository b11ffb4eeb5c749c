// The picture that was drawn last: the Draw view keeps it, the Step view steps through it.

const NAME = "drawn"; // what the tab remembers it by

export function keepDrawn(x) {
  sessionStorage.setItem(NAME, JSON.stringify([...x]));
}

/** Return the picture, or null where nothing has been drawn. */
export function drawn() {
  const kept = sessionStorage.getItem(NAME);
  return kept && Float32Array.from(JSON.parse(kept));
}
