/** The files of Node, for the spool. */

import { open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FilesPort } from '../ports.js';

export const nodeFiles: FilesPort = {
  async create(path) {
    const file = await open(path, 'wx+', 0o600);
    return {
      write: async (octets, at) => (await file.write(octets, 0, octets.length, at)).bytesWritten,
      read: async (at, length) => {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at);
        return buffer.subarray(0, bytesRead);
      },
      sync: () => file.datasync(),
      close: () => file.close(),
    };
  },
  remove: (path) => unlink(path),
  async syncDirectoryOf(path) {
    // Elsewhere a directory is no file, and its names are written with what they name.
    if (process.platform === 'win32') return;
    const directory = await open(dirname(path), 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  },
};
