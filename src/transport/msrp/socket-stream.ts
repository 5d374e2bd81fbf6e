/** A stream that stands for a TCP socket which is somewhere else, or nowhere. */

import { Duplex } from 'node:stream';

/** What transports ask of a socket beside a stream; there is nothing to set. */
export abstract class SocketStream extends Duplex {
  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  /** What was written leaves first. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }
}
