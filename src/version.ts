/** The version of the package, for Server and User-Agent and for `--version`. */

import { createRequire } from 'node:module';

// By name, for the program stands in another folder than the library.
const manifest: unknown = createRequire(import.meta.url)('poste-restante/package.json');

export const version =
  typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : '0.0.0';
