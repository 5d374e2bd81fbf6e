/** Curves as SVG: small multiples, decades to the right, values from zero up. */

const width = 300;
const height = 200;
const margin = { left: 50, right: 26, top: 52, bottom: 28 };
const inner = { x: width - margin.left - margin.right, y: height - margin.top - margin.bottom };
const perRow = 3;
/** Left and right of the points, so that their values stand clear of those of the axis. */
const padding = 20;
/** Below the panels, for what goes to the right. */
const footer = 24;

/** With its own ground it can be read on any page; which one it is, the reader's settings say. */
const style = `
.ground { fill: #ffffff }
text { fill: #24292f; font-size: 11px }
.title { font-size: 13px; font-weight: bold }
.mark { fill: #57606a }
.grid { stroke: #d0d7de; stroke-width: 1 }
.line { fill: none; stroke-width: 2 }
.line.s0 { stroke: #0a58a6 }
.line.s1 { stroke: #b0480c; stroke-dasharray: 5 3 }
.dot.s0, .name.s0 { fill: #0a58a6 }
.dot.s1, .name.s1 { fill: #b0480c }
@media (prefers-color-scheme: dark) {
  .ground { fill: #0d1117 }
  text { fill: #e6edf3 }
  .mark { fill: #9da7b1 }
  .grid { stroke: #30363d }
  .line.s0 { stroke: #6cb6ff }
  .line.s1 { stroke: #f0a35e }
  .dot.s0, .name.s0 { fill: #6cb6ff }
  .dot.s1, .name.s1 { fill: #f0a35e }
}
`;

/**
 * `panels`: a title, a unit, and up to two series of `[messages, value]` each. All panels have the
 * same decades, so that what stands below each other is of the same size.
 */
export function curvesSvg(title, panels) {
  const sizes = panels.flatMap(({ series }) =>
    series.flatMap(({ points }) => points.map(([messages]) => messages)),
  );
  const x = decades(sizes);
  const rows = Math.ceil(panels.length / perRow);
  const all = { x: perRow * width, y: rows * height + footer };
  const parts = panels.map((panel, i) => {
    const at = `${(i % perRow) * width} ${Math.floor(i / perRow) * height}`;
    return `<g transform="translate(${at})">\n${panelOf(panel, x)}\n</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${all.x} ${all.y}" role="img" font-family="sans-serif">
<title>${escaped(title)}</title>
<style>${style}</style>
<rect class="ground" width="${all.x}" height="${all.y}"/>
${parts.join('\n')}
${label('mark', all.x / 2, all.y - 8, 'stored messages', 'middle')}
</svg>
`;
}

function panelOf({ title, unit, series }, x) {
  const values = series.flatMap(({ points }) => points.map(([, value]) => value));
  const y = steps(values);
  const span = inner.x - 2 * padding;
  const placeX = (messages) => round(margin.left + padding + x.part(messages) * span);
  const placeY = (value) => round(margin.top + (1 - value / y.top) * inner.y);
  const drawn = series.map(({ points }, of) =>
    curve(
      points.map(([messages, value]) => ({ x: placeX(messages), y: placeY(value), value })),
      { of, isOnly: series.length === 1 },
    ),
  );
  return [
    label('title', 14, 20, title),
    label('mark', 14, 36, unit),
    ...(series.length > 1 ? [namesOf(series)] : []),
    ...(values.length > 0 ? [] : [label('mark', width / 2, height / 2, 'not measured', 'middle')]),
    ...x.marks.map((mark) => {
      const at = placeX(mark);
      const line = `<path class="grid" d="M${at} ${margin.top}v${inner.y}"/>`;
      return line + label('mark', at, height - 12, short(mark), 'middle');
    }),
    ...y.marks.map((mark) => {
      const at = placeY(mark);
      const line = `<path class="grid" d="M${margin.left} ${at}h${inner.x}"/>`;
      return line + label('mark', margin.left - 6, at + 4, short(mark), 'end');
    }),
    ...drawn,
  ].join('\n');
}

/** What each line is, in its colour, on the right of the unit. */
function namesOf(series) {
  const names = series.map(({ name }, of) => {
    const line = of === 0 ? '━' : '╍';
    return `<tspan class="name s${of}">${line} ${escaped(name)}</tspan>`;
  });
  return `<text x="${width - margin.right}" y="36" text-anchor="end">${names.join('  ')}</text>`;
}

function curve(places, { of, isOnly }) {
  if (places.length === 0) return '';
  const line = places.map(({ x, y }) => `${x},${y}`).join(' ');
  const dots = places.map(({ x, y, value }) => {
    // The names of two lines would be in each other's way.
    const told = isOnly ? label('', x, y - 7, short(value), 'middle') : '';
    return `<circle class="dot s${of}" cx="${x}" cy="${y}" r="3"/>${told}`;
  });
  return `<polyline class="line s${of}" points="${line}"/>${dots.join('')}`;
}

function label(kind, x, y, text, anchor) {
  const attributes = [
    ...(kind ? [`class="${kind}"`] : []),
    `x="${round(x)}" y="${round(y)}"`,
    ...(anchor ? [`text-anchor="${anchor}"`] : []),
  ];
  return `<text ${attributes.join(' ')}>${escaped(text)}</text>`;
}

/** At least one decade, so that there is a direction. */
function decades(values) {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  const marks = Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i));
  return { marks, part: (value) => (Math.log10(value) - low) / (high - low) };
}

/** Three to five round steps from zero on. */
function steps(values) {
  if (values.length === 0) return { top: 1, marks: [] };
  const most = Math.max(...values) || 1;
  const decade = 10 ** Math.floor(Math.log10(most));
  const step = [0.25, 0.5, 1, 2.5].map((part) => part * decade).find((one) => most / one <= 5);
  const count = Math.max(1, Math.ceil(most / step));
  return { top: count * step, marks: Array.from({ length: count + 1 }, (_, i) => i * step) };
}

function short(value) {
  if (value >= 1e6) return `${value / 1e6} M`;
  if (value >= 1e4) return `${Number((value / 1000).toPrecision(3))} k`;
  return String(Number(value.toPrecision(3)));
}

function round(value) {
  return Math.round(value * 10) / 10;
}

function escaped(text) {
  return text.replace(/[&<>"]/g, (one) => `&#${one.charCodeAt(0)};`);
}
