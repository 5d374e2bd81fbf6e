/** One end of a stream of a simulated network: a TCP socket as far as transports use one. */

import { SocketStream } from '../../transport/msrp/socket-stream.js';
import type { Place, SimulatedNetwork } from './network.js';
import { StreamPath, type Parcel } from './stream-path.js';

type Done = (error?: Error | null) => void;

export class SimulatedStream extends SocketStream {
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #network: SimulatedNetwork;
  /** What we send. */
  readonly #path: StreamPath;
  #peer: SimulatedStream | undefined;
  /** What has come and was not read yet. */
  #arrived: Buffer[] = [];
  #hasEnded = false;
  #wantsMore = false;
  #isGone = false;

  private constructor(network: SimulatedNetwork, local: Place, remote: Place) {
    super({ allowHalfOpen: false, emitClose: true });
    this.#network = network;
    this.localAddress = local.address;
    this.localPort = local.port;
    this.remoteAddress = remote.address;
    this.remotePort = remote.port;
    this.#path = new StreamPath(network, local, remote, {
      arrive: (parcel) => this.#deliver(parcel),
      broken: (code) => this.#break(code),
    });
    network.opened(this);
  }

  /** A stream on its way: `connect` tells when it stands. */
  static connecting(network: SimulatedNetwork, local: Place, remote: Place): SimulatedStream {
    network.traffic.connections++;
    const stream = new SimulatedStream(network, local, remote);
    stream.#path.put({ kind: 'open' });
    return stream;
  }

  /** The other end of one that has come. */
  static accepted(
    network: SimulatedNetwork,
    local: Place,
    remote: Place,
    peer: SimulatedStream,
  ): SimulatedStream {
    const stream = new SimulatedStream(network, local, remote);
    stream.#peer = peer;
    peer.#peer = stream;
    stream.#path.put({ kind: 'open' });
    return stream;
  }

  /** The power has failed: nothing more is sent, nobody is told. */
  vanish(): void {
    this.#isGone = true;
    this.#path.stop();
    this.#network.closed(this);
  }

  override _write(octets: Buffer, _encoding: string, done: Done): void {
    if (this.#isGone) return;
    // Whoever writes may use the octets again once they are written.
    this.#path.write(Buffer.from(octets), done);
  }

  override _final(done: Done): void {
    this.#path.put({ kind: 'end' });
    done();
  }

  override _read(): void {
    this.#wantsMore = true;
    this.#read();
  }

  /** As the kernel does: what was written still leaves, unless something was not read. */
  override _destroy(error: Error | null, done: Done): void {
    this.#network.closed(this);
    if (!this.#isGone) {
      this.#isGone = true;
      if (this.#arrived.length > 0) this.#path.reset();
      else if (!this.writableFinished) this.#path.put({ kind: 'end' });
    }
    this.#arrived = [];
    done(error);
  }

  // ------------------------------------------------------------------------- from the peer

  /** Something of ours has reached the host at the other end. */
  #deliver(parcel: Parcel): void {
    const peer = this.#peer;
    if (parcel.kind === 'open' && !peer) {
      this.#knock();
      return;
    }
    if (parcel.kind === 'reset') {
      if (peer) peer.#break('ECONNRESET');
    } else if (!peer || peer.#isGone) this.#answerGone(parcel);
    else peer.#take(parcel, this.#path);
  }

  #knock(): void {
    const { remoteAddress: address, remotePort: port } = this;
    const server = this.#network.serverAt({ address, port });
    const from = { address: this.localAddress, port: this.localPort };
    if (server) server.accept(this, from);
    else this.#later(() => this.#break('ECONNREFUSED'));
  }

  /** Octets for a stream that is not there any more are answered with a reset. */
  #answerGone(parcel: Parcel): void {
    if (parcel.kind === 'octets') this.#later(() => this.#break('ECONNRESET'));
  }

  #take(parcel: Parcel, path: StreamPath): void {
    if (parcel.kind === 'open') this.emit('connect');
    else if (parcel.kind === 'end') this.#hasEnded = true;
    else if (parcel.kind === 'octets') {
      this.#arrived.push(parcel.octets);
      this.#consumed = (length) => path.consumed(length);
    }
    this.#read();
  }

  /** Tells the sender that there is room again. */
  #consumed: (length: number) => void = () => undefined;

  #read(): void {
    while (this.#wantsMore && this.#arrived.length > 0) {
      const octets = this.#arrived.shift()!;
      this.#consumed(octets.length);
      this.#wantsMore = this.push(octets);
    }
    if (this.#hasEnded && this.#arrived.length === 0) {
      this.#hasEnded = false;
      this.push(null);
    }
  }

  #break(code: string): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#path.stop();
    this.#arrived = [];
    this.destroy(Object.assign(new Error(code), { code }));
  }

  #later(call: () => void): void {
    this.#network.clock.after(this.#network.weather.passage(), call);
  }
}
