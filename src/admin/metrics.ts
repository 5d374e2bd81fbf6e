/** `/metrics` for Prometheus: plain counters, made into samples when somebody asks. */

import { Counter, Gauge, Registry } from 'prom-client';
import { histogramText } from './histogram.js';
import type { AdminParts } from './parts.js';
import type { Route } from './route.js';

/** What goes up and down; everything else only goes up. */
const levels: ReadonlySet<string> = new Set([
  ...['serverTransactions', 'clientTransactions', 'dialogs', 'pendingInvites', 'connections'],
  ...['timers', 'xdms.down'],
  'cluster.shards',
  'cluster.residentBytes',
  'cluster.msrpConnections',
  'cluster.msrpHeld',
  'actors.accounts',
  'actors.admission.rate',
  'actors.admission.requests',
  'actors.admission.octets',
  'actors.queue',
  'actors.sessions',
  'actors.uploads',
  'store.pendingCommits',
  'store.pendingBytes',
  'store.accounts',
  'store.uploads',
  'store.unsortedFiles',
]);

type Sample = { readonly metric: Counter; last: number } | { readonly metric: Gauge };

/** Nothing is counted here; nothing costs anything until it is collected. */
export class Metrics {
  readonly #parts: AdminParts;
  readonly #registry = new Registry();
  readonly #samples = new Map<string, Sample>();

  constructor(parts: AdminParts) {
    this.#parts = parts;
    const registers = [this.#registry];
    const help = 'The version that runs';
    new Gauge({ name: 'poste_restante_info', help, labelNames: ['version'], registers }).set(
      { version: parts.version },
      1,
    );
    new Gauge({
      ...{ name: 'process_resident_memory_bytes', help: 'Resident memory', registers },
      collect() {
        this.set(process.memoryUsage.rss());
      },
    });
    new Gauge({
      ...{ name: 'process_start_time_seconds', help: 'When the process started', registers },
      collect() {
        this.set(Math.round(parts.clock.now() / 1000 - process.uptime()));
      },
    });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  async text(): Promise<string> {
    await this.#parts.refresh?.();
    for (const [name, value] of Object.entries(this.#parts.counters())) this.#take(name, value);
    const latency = this.#parts.commitLatency?.();
    const text = await this.#registry.metrics();
    if (!latency) return text;
    const name = 'poste_restante_store_commit_seconds';
    return text + histogramText(name, 'How long commits take', latency);
  }

  #take(name: string, value: number): void {
    let sample = this.#samples.get(name);
    if (!sample) {
      sample = this.#create(name);
      this.#samples.set(name, sample);
    }
    if (!('last' in sample)) {
      sample.metric.set(value);
      return;
    }
    sample.metric.inc(Math.max(0, value - sample.last));
    sample.last = value;
  }

  #create(counter: string): Sample {
    const words = counter.replace(/([a-z])([A-Z])/g, '$1_$2').toLowerCase();
    const name = `poste_restante_${words.replaceAll(/[^a-z0-9]+/g, '_')}`;
    const registers = [this.#registry];
    if (levels.has(counter) || counter.startsWith('survey.')) {
      return { metric: new Gauge({ name, help: `At this moment: ${counter}`, registers }) };
    }
    const help = `Since the start: ${counter}`;
    return { metric: new Counter({ name: `${name}_total`, help, registers }), last: 0 };
  }
}

export function metricsRoutes(parts: AdminParts): Route[] {
  const metrics = new Metrics(parts);
  return [
    {
      ...{ method: 'GET', url: '/metrics', summary: 'Everything counted, for Prometheus' },
      answers: { 200: { description: 'Samples', type: 'text/plain' } },
      handle: async (_request, reply) => {
        const text = await metrics.text();
        return reply.type(metrics.contentType).send(text);
      },
    },
  ];
}
