/** A capture on loopback, and what tshark objects to in it. */

import { execFile, spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isInstalled } from '../../server-process.js';

const run = promisify(execFile);

export const canCapture =
  isInstalled('tshark') &&
  isInstalled('dumpcap') &&
  spawnSync('dumpcap', ['-i', 'lo', '-L']).status === 0;

/** Ports by what is spoken there. */
export interface CapturePorts {
  readonly sip: readonly number[];
  readonly msrp: readonly number[];
  readonly http?: readonly number[];
  /** One of `sip` that takes datagrams, or any: it gets a mark that nobody answers to. */
  readonly mark: number;
}

export interface Capture {
  /** Where it is, until it is discarded. */
  readonly file: string;
  /** Everything that has been sent is in the file when it resolves. */
  end(): Promise<void>;
  /** Frames of that protocol. */
  frames(protocol: string): Promise<number>;
  /** Malformed packets, and warnings and errors of the protocols, one line each. */
  objections(): Promise<string[]>;
  /** Ends it, if it has not ended, and removes the file. */
  discard(): Promise<void>;
}

/** Resolves when packets are being captured. */
export async function startCapture(ports: CapturePorts): Promise<Capture> {
  const directory = mkdtempSync(join(tmpdir(), 'poste-tshark-'));
  const file = join(directory, 'capture.pcapng');
  const { sip, msrp, http = [] } = ports;
  const filter = [...sip, ...msrp, ...http].map((port) => `port ${port}`).join(' or ');
  const child = spawn('dumpcap', ['-q', '-i', 'lo', '-f', filter, '-w', file]);
  await once(child.stderr, 'data');
  await captured(file, ports.mark, 'first');
  const decoded = [
    ...sip.flatMap((port) => [`udp.port==${port},sip`, `tcp.port==${port},sip`]),
    ...msrp.map((port) => `tcp.port==${port},msrp`),
    ...http.map((port) => `tcp.port==${port},http`),
  ];
  const read = ['-n', '-r', file, ...decoded.flatMap((rule) => ['-d', rule])];
  const stop = async (signal: 'SIGINT' | 'SIGKILL'): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  };
  const tshark = async (...args: string[]): Promise<string[]> => {
    const { stdout } = await run('tshark', [...read, ...args], { maxBuffer: 1 << 28 });
    return stdout.split('\n').filter((line) => line !== '');
  };
  return {
    file,
    async end() {
      await captured(file, ports.mark, 'last');
      await stop('SIGINT');
    },
    frames: async (protocol) => (await tshark('-Y', protocol)).length,
    async objections() {
      const protocols = 'sip || sdp || msrp || xml';
      const wrong = `_ws.malformed || ((${protocols}) && _ws.expert.severity >= 0x00600000)`;
      const fields = ['-T', 'fields', '-e', 'frame.number', '-e', '_ws.expert.message'];
      return (await tshark('-Y', wrong, ...fields)).filter((line) => !isOfTcp(line));
    },
    async discard() {
      await stop('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Sends a marked datagram until it is in the file, so that everything before it is too. */
async function captured(file: string, port: number, mark: string): Promise<void> {
  const socket = createSocket('udp4');
  // Nobody listens there, perhaps.
  socket.on('error', () => undefined);
  const marker = `OPTIONS sip:${mark}@127.0.0.1 SIP/2.0\r\n`;
  const head = `Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK${mark};rport\r\nMax-Forwards: 70\r\n`;
  const ids = `From: <sip:mark@127.0.0.1>;tag=1\r\nTo: <sip:${mark}@127.0.0.1>\r\n`;
  const call = `Call-ID: ${mark}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n`;
  const send = (): void => socket.send(marker + head + ids + call, port, '127.0.0.1');
  const again = setInterval(send, 100);
  try {
    send();
    for await (const _ of watch(join(file, '..'))) if (readFileSync(file).includes(marker)) return;
  } finally {
    clearInterval(again);
    socket.close();
  }
}

/** Loopback under load retransmits and reorders; that is the kernel's, not ours. */
function isOfTcp(line: string): boolean {
  const text = line.split('\t')[1] ?? '';
  return (
    /(TCP|segment|retransmission|D-SACK|ACK|window|connection)/i.test(text) &&
    !/SIP|MSRP|SDP/.test(text)
  );
}
