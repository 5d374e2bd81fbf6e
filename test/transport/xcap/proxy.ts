/** A proxy before an XDMS that writes down what passes, and keeps or loses what it is told to. */

import { once } from 'node:events';
import { createServer, request as askHttp } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface XdmsProxy {
  /** The XCAP root behind it. */
  readonly root: string;
  /** Method, kind of node, conditions and status of what the XDMS has answered, in order. */
  readonly lines: readonly string[];
  /** The next such request is not served before it is let go, whoever waits for it or has gone. */
  hold(asked: string): Promise<Held>;
  /** The next such request is served, and the connection cut instead of an answer. */
  lose(asked: string): void;
  stop(): void;
}

export interface Held {
  /** Serves it; resolves with the status when the XDMS has answered. */
  release(): Promise<number>;
}

type Fate = 'lose' | ((held: Held) => void);

export async function startXdmsProxy(port: number): Promise<XdmsProxy> {
  const lines: string[] = [];
  const fates = new Map<string, Fate>();
  const serve = async (asked: IncomingMessage, answer: ServerResponse): Promise<void> => {
    const line = lineOf(asked);
    const chunks: Buffer[] = [];
    for await (const chunk of asked) chunks.push(chunk as Buffer);
    const onward = async (): Promise<IncomingMessage> => {
      const { method = '', url: path = '', headers } = asked;
      const forwarded = askHttp({ port, host: '127.0.0.1', method, path, headers });
      forwarded.end(Buffer.concat(chunks));
      const [answered] = (await once(forwarded, 'response')) as [IncomingMessage];
      lines.push(`${line} ${answered.statusCode}`);
      return answered;
    };
    const fate = fates.get(line);
    fates.delete(line);
    if (typeof fate === 'function') {
      const release = async (): Promise<number> => {
        const answered = await onward();
        hand(answered, answer);
        return answered.statusCode!;
      };
      fate({ release });
      return;
    }
    const answered = await onward();
    if (fate === 'lose') {
      asked.socket.destroy();
      return;
    }
    hand(answered, answer);
  };
  const proxy = createServer((asked, answer) => void serve(asked, answer));
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    root: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/xcap`,
    lines,
    hold: (asked) => new Promise((resolve) => fates.set(asked, resolve)),
    lose: (asked) => void fates.set(asked, 'lose'),
    stop() {
      proxy.closeAllConnections();
      proxy.close();
    },
  };
}

function hand(answered: IncomingMessage, answer: ServerResponse): void {
  answer.writeHead(answered.statusCode!, answered.headers);
  answered.pipe(answer);
}

function lineOf({ method, url = '', headers }: IncomingMessage): string {
  const what = url.includes('~~') ? 'history' : 'document';
  const created = headers['if-none-match'] === undefined ? '' : ` ${headers['if-none-match']}`;
  return `${method} ${what}${created}${headers['if-match'] === undefined ? '' : ' If-Match'}`;
}
