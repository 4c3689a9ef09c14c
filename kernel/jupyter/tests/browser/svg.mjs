// How much a chart shows, read from the address of its picture.

/** Returns the SVG text in a data address, or null for another kind of picture. */
export function svgOf(source) {
  const found = source.match(/^data:image\/svg\+xml(;[^,]*)?,(.*)$/s);
  if (!found) return null;
  const [, parameters = '', body] = found;
  if (parameters.includes('base64')) return Buffer.from(body, 'base64').toString('utf8');
  return decodeURIComponent(body);
}

/** Counts corners of lines and areas, dots and bars: more of them mean more data. */
export function points(svg) {
  const numbers = (text) => (text.match(/-?\d+(\.\d+)?/g) ?? []).length;
  let count = 0;
  for (const [, list] of svg.matchAll(/\spoints=["']([^"']*)["']/g)) count += numbers(list) / 2;
  for (const [, list] of svg.matchAll(/\sd=["']([^"']*)["']/g)) count += numbers(list) / 2;
  count += (svg.match(/<(circle|rect)\b/g) ?? []).length;
  return Math.floor(count);
}
