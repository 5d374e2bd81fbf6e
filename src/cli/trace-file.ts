/** A trace in a file of bounded size, with the one before it beside. */

import { closeSync, openSync, renameSync, writeSync } from 'node:fs';

export interface TraceFile {
  write(line: string): void;
  close(): void;
}

/** `onError` hears of a disk that does not take it; the trace ends, the server goes on. */
export function openTraceFile(
  path: string,
  octetsMax: number,
  onError: (error: unknown) => void,
): TraceFile {
  let descriptor: number | undefined = openSync(path, 'w', 0o600);
  let octets = 0;
  const close = (): void => {
    if (descriptor !== undefined) closeSync(descriptor);
    descriptor = undefined;
  };
  return {
    write: (line) => {
      if (descriptor === undefined) return;
      try {
        const length = Buffer.byteLength(line);
        if (octets > 0 && octets + length > octetsMax) {
          close();
          renameSync(path, `${path}.1`);
          descriptor = openSync(path, 'w', 0o600);
          octets = 0;
        }
        octets += writeSync(descriptor, line);
      } catch (error) {
        close();
        onError(error);
      }
    },
    close,
  };
}
