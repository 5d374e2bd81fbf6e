/**
 * The octets of a large message framed as MSRP and passed over loopback by one process that looks
 * at nothing of them: what a server is measured by. It keeps nothing, or does the disk work of a
 * server that takes a message in (`in`: every octet durable before the end is answered), or of one
 * that gives it out to a client that keeps it (`out`: read from a file, and durable at its end).
 */

import { once } from 'node:events';
import { open } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { dropDirectory, newDirectory } from './processes.mjs';

const chunk = 65_536;
/** The store syncs the octets of a large message so often, and so does the copy. */
const syncBytes = 4 * 2 ** 20;
/** Octets that may wait for the file. */
const waitingMax = 2 ** 20;

/** Seconds, and CPU seconds, of `size` octets in SENDs of 64 KiB. */
export async function framedCopy(size, work = 'none') {
  const directory = newDirectory();
  const source = work === 'out' ? await sourceOf(join(directory, 'source'), size) : undefined;
  const file = work === 'none' ? undefined : await open(join(directory, 'copy'), 'w');
  const server = net.createServer({ allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const received = new Promise((resolve, reject) => {
    server.once('connection', (socket) => {
      receive(socket, file, work === 'in' ? syncBytes : Infinity).then(resolve, reject);
    });
  });
  const socket = net.connect({ port: server.address().port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  const before = process.cpuUsage();
  const began = performance.now();
  await send(socket, size, source);
  await once(socket.resume(), 'end');
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(before);
  const octets = await received;
  socket.destroy();
  server.close();
  await source?.close();
  await file?.close();
  dropDirectory(directory);
  if (octets < size) throw new Error(`${octets} of ${size} octets were copied`);
  return { seconds, cpu: (user + system) / 1e6 };
}

async function sourceOf(path, size) {
  const file = await open(path, 'w+');
  const block = Buffer.alloc(2 ** 20, 66);
  for (let at = 0; at < size; at += block.length) await file.write(block);
  await file.datasync();
  return file;
}

async function send(socket, size, source) {
  const body = Buffer.alloc(chunk, 66);
  for (let sent = 0, number = 0; sent < size; sent += chunk, number++) {
    const octets = source ? await pieceOf(source, sent) : body;
    const id = `t${number.toString(36).padStart(7, '0')}`;
    const head =
      `MSRP ${id} SEND\r\nTo-Path: msrp://127.0.0.1:2855/abc;tcp\r\n` +
      `From-Path: msrp://127.0.0.1:2856/def;tcp\r\nMessage-ID: 12345\r\n` +
      `Byte-Range: ${sent + 1}-${sent + chunk}/${size}\r\n` +
      `Content-Type: application/octet-stream\r\n\r\n`;
    socket.cork();
    socket.write(head, 'latin1');
    socket.write(octets);
    const flows = socket.write(`\r\n-------${id}+\r\n`, 'latin1');
    socket.uncork();
    if (!flows) await once(socket, 'drain');
  }
  socket.end();
}

async function pieceOf(source, position) {
  const { bytesRead, buffer } = await source.read(Buffer.allocUnsafe(chunk), 0, chunk, position);
  if (bytesRead !== chunk) throw new Error('the source of the copy is short');
  return buffer;
}

/** Resolves with the number of octets; the peer is told of the end when they are where they go. */
async function receive(socket, file, syncEvery) {
  let octets = 0;
  const waiting = [];
  let waitingBytes = 0;
  let writing = Promise.resolve();
  let unsynced = 0;
  const write = async () => {
    const pieces = waiting.splice(0);
    const { bytesWritten } = await file.writev(pieces);
    unsynced += bytesWritten;
    waitingBytes -= bytesWritten;
    if (waitingBytes < waitingMax) socket.resume();
    if (unsynced < syncEvery) return;
    unsynced = 0;
    await file.datasync();
  };
  socket.on('data', (data) => {
    octets += data.length;
    if (!file) return;
    waiting.push(data);
    waitingBytes += data.length;
    if (waitingBytes >= waitingMax) socket.pause();
    // What comes while a write is under way goes with the next one.
    if (waiting.length === 1) writing = writing.then(() => write());
  });
  await once(socket, 'end');
  await writing;
  await file?.datasync();
  socket.end('.');
  return octets;
}
