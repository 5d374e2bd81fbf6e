/** Process trees under /proc, directories and ports of a measurement; nothing outlives the run. */

import { execFileSync } from 'node:child_process';
import dgram from 'node:dgram';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { clearInterval, setInterval } from 'node:timers';
import { setTimeout } from 'node:timers/promises';

const ticks = Number(execFileSync('getconf', ['CLK_TCK']).toString());
const directories = new Set();
const roots = new Set();

process.on('exit', () => {
  for (const pid of roots) killTree(pid);
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(130));

/** On the disk that `BENCH_TMP` names, or where temporary files go. */
export function newDirectory() {
  const parent = process.env.BENCH_TMP ?? tmpdir();
  const directory = mkdtempSync(join(parent, 'poste-restante-bench-'));
  chmodSync(directory, 0o755);
  directories.add(directory);
  return directory;
}

export function dropDirectory(directory) {
  directories.delete(directory);
  rmSync(directory, { recursive: true, force: true });
}

/** It is killed when this process ends. */
export function own(child) {
  roots.add(child.pid);
  child.once('exit', () => roots.delete(child.pid));
  return child;
}

function statOf(pid) {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** Of every process: its parent and the CPU seconds it has used, without those of its children. */
export function allProcesses() {
  const all = new Map();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = statOf(entry);
      const cpu = (Number(stat[11]) + Number(stat[12])) / ticks;
      all.set(Number(entry), { parent: Number(stat[1]), cpu });
    } catch {
      // It has ended meanwhile.
    }
  }
  return all;
}

/** The process and everything below it. */
export function treeOf(pid) {
  const all = allProcesses();
  const tree = [pid];
  for (let i = 0; i < tree.length; i++) {
    for (const [one, { parent }] of all) {
      if (parent === tree[i] && !tree.includes(one)) tree.push(one);
    }
  }
  return tree;
}

/** CPU seconds, those of ended children included, and proportional memory in octets. */
export function usageOf(pids) {
  let cpu = 0;
  let memory = 0;
  for (const pid of pids.flatMap(treeOf)) {
    try {
      const stat = statOf(pid);
      for (const field of [11, 12, 13, 14]) cpu += Number(stat[field]) / ticks;
      const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
      memory += Number(/^Pss:\s+(\d+)/m.exec(rollup)[1]) * 1024;
    } catch {
      // It has ended meanwhile.
    }
  }
  return { cpu, memory };
}

export function killTree(pid, signal = 'SIGKILL') {
  for (const one of treeOf(pid).reverse()) {
    try {
      process.kill(one, signal);
    } catch {
      // It has ended already.
    }
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Resolves when none of them lives; kills what still does after `ms`. */
export async function ended(pids, ms = 15_000) {
  const end = performance.now() + ms;
  while (pids.some(isAlive)) {
    if (performance.now() > end) for (const pid of pids) killTree(pid);
    await setTimeout(5);
  }
}

export function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Resolves with the milliseconds until a SIP server on UDP answers an OPTIONS. */
export function answering(port, ms = 60_000) {
  return untilAnswered(port, { requestTo: optionsTo, isAnswer: () => true, ms });
}

/** Resolves with the milliseconds until it has accepted a MESSAGE. */
export function storing(port, ms = 60_000) {
  const isAnswer = (datagram) => datagram.toString('latin1', 0, 12) === 'SIP/2.0 202 ';
  return untilAnswered(port, { requestTo: messageTo, isAnswer, ms });
}

function untilAnswered(port, { requestTo, isAnswer, ms }) {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const socket = dgram.createSocket('udp4');
    let number = 0;
    const end = (settle) => {
      clearInterval(timer);
      socket.close();
      settle();
    };
    const timer = setInterval(() => {
      const took = performance.now() - began;
      if (took > ms) end(() => reject(new Error(`nobody answers on port ${port}`)));
      else socket.send(requestTo(port, socket.address().port, number++), port, '127.0.0.1');
    }, 10);
    socket.on('error', () => undefined);
    socket.bind(0, '127.0.0.1');
    socket.on('message', (datagram) => {
      if (isAnswer(datagram)) end(() => resolve(performance.now() - began));
    });
  });
}

function optionsTo(port, from, number) {
  return (
    `OPTIONS sip:127.0.0.1:${port} SIP/2.0\r\n` +
    `Via: SIP/2.0/UDP 127.0.0.1:${from};branch=z9hG4bKup${from}n${number}\r\n` +
    `From: <sip:bench@example.test>;tag=1\r\nTo: <sip:127.0.0.1>\r\n` +
    `Call-ID: up${from}n${number}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n`
  );
}

function messageTo(port, from, number) {
  return (
    `MESSAGE sip:first@example.test SIP/2.0\r\n` +
    `Via: SIP/2.0/UDP 127.0.0.1:${from};branch=z9hG4bKfirst${from}n${number}\r\n` +
    `From: <sip:bench@example.test>;tag=1\r\nTo: <sip:first@example.test>\r\n` +
    `Call-ID: first${from}n${number}\r\nCSeq: 1 MESSAGE\r\nMax-Forwards: 70\r\n` +
    `P-Asserted-Identity: <sip:bench@example.test>\r\n` +
    `Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nfirst`
  );
}
