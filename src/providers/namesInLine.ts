/** Where a name stands as a whole in a line: not as a part of a longer name, path or host name. */
export function placesOf(name: string, line: string): readonly number[] {
  const places: number[] = [];
  for (let at = line.indexOf(name); at >= 0; at = line.indexOf(name, at + name.length)) {
    if (!/[\w./-]$/.test(line.slice(0, at)) && !/^(?:[\w/-]|\.\w)/.test(line.slice(at + name.length))) places.push(at);
  }
  return places;
}
