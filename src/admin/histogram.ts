/** A histogram in the text that Prometheus reads; prom-client makes none of counts it has not made. */

import type { Histogram } from './parts.js';

export function histogramText(
  name: string,
  help: string,
  { bounds, counts, sum, count }: Histogram,
): string {
  const buckets = bounds.map((bound, at) => `${name}_bucket{le="${bound}"} ${counts[at] ?? 0}`);
  const lines = [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} histogram`,
    ...buckets,
    `${name}_bucket{le="+Inf"} ${count}`,
    `${name}_sum ${sum}`,
    `${name}_count ${count}`,
  ];
  return `\n${lines.join('\n')}\n`;
}
