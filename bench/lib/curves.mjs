/** Growth curves as SVG: small multiples, both axes in decades. */

const width = 300;
const height = 190;
const margin = { left: 56, right: 12, top: 30, bottom: 30 };
const inner = { x: width - margin.left - margin.right, y: height - margin.top - margin.bottom };
const perRow = 2;

/** `curves`: a title and points of `[messages, value]` each. */
export function curvesSvg(curves) {
  const rows = Math.ceil(curves.length / perRow);
  const total = `${perRow * width} ${rows * height}`;
  const parts = curves.map(({ title, points }, i) => {
    const at = `translate(${(i % perRow) * width} ${Math.floor(i / perRow) * height})`;
    return `<g transform="${at}">${curve(title, points)}</g>`;
  });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${total}" role="img" ` +
    `font-family="sans-serif" font-size="11">\n` +
    `<title>Growth with the number of stored messages</title>\n` +
    `<rect width="100%" height="100%" fill="#fff"/>\n${parts.join('\n')}\n</svg>\n`
  );
}

function curve(title, points) {
  const x = decades(points.map(([messages]) => messages));
  const y = decades(points.map(([, value]) => value));
  const placeX = (value) => margin.left + x.part(value) * inner.x;
  const placeY = (value) => margin.top + (1 - y.part(value)) * inner.y;
  const grid = [
    ...x.marks.map((mark) => {
      const at = round(placeX(mark));
      return (
        `<path d="M${at} ${margin.top}v${inner.y}" stroke="#ddd"/>` +
        `<text x="${at}" y="${height - 12}" text-anchor="middle" fill="#555">${short(mark)}</text>`
      );
    }),
    ...y.marks.map((mark) => {
      const at = round(placeY(mark));
      return (
        `<path d="M${margin.left} ${at}h${inner.x}" stroke="#ddd"/>` +
        `<text x="${margin.left - 6}" y="${at + 4}" text-anchor="end" fill="#555">${short(mark)}</text>`
      );
    }),
  ];
  const path = points.map(
    ([messages, value]) => `${round(placeX(messages))},${round(placeY(value))}`,
  );
  const dots = path.map((place) => {
    const [cx, cy] = place.split(',');
    return `<circle cx="${cx}" cy="${cy}" r="3" fill="#0a58a6"/>`;
  });
  return (
    `<text x="${margin.left}" y="18" font-weight="bold">${title}</text>${grid.join('')}` +
    `<polyline points="${path.join(' ')}" fill="none" stroke="#0a58a6" stroke-width="2"/>` +
    dots.join('')
  );
}

/** At least one decade, so that what does not grow looks flat. */
function decades(values) {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  const marks = Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i));
  return { marks, part: (value) => (Math.log10(value) - low) / (high - low) };
}

function short(value) {
  if (value >= 1e6) return `${value / 1e6} M`;
  return value >= 1000 ? `${value / 1000} k` : String(Number(value.toPrecision(3)));
}

function round(value) {
  return Math.round(value * 10) / 10;
}
