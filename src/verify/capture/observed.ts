/** Messages that somebody has seen between two hosts, whatever kind of file they were seen in. */

export interface Observed {
  /** Of the frame in which it ended, or of the line; the first of a file is 1. */
  readonly number: number;
  /** Milliseconds since 1970, with their fraction. */
  readonly at: number;
  /** `http`: about a document of a user (XCAP). */
  readonly protocol: 'sip' | 'msrp' | 'http';
  readonly transport: 'udp' | 'tcp' | 'tls' | 'ws' | 'wss';
  /** `host:port`, an IPv6 host in brackets. */
  readonly source: string;
  readonly target: string;
  /** The whole message; less of it where `cut`. */
  readonly bytes: Buffer;
  /** Its end was not seen, or was left out where it was written. */
  readonly cut: boolean;
}

/** Something that passed between two hosts and cannot be read: a gap, or what is encrypted. */
export interface Loss {
  /** Of the frame at which it was noticed. */
  readonly number: number;
  readonly what: string;
  /** Hosts, or `host:port`. */
  readonly source: string;
  readonly target: string;
}

/** One end of a connection says that it is over (RFC 9293 3.6). */
export interface Closing {
  /** Of the frame. */
  readonly number: number;
  readonly at: number;
  readonly source: string;
  readonly target: string;
  /** `FIN`: nothing more comes from there; `RST`: everything that was under way is gone. */
  readonly how: 'FIN' | 'RST';
}

export interface Capture {
  /** In the order in which they were seen. */
  readonly messages: readonly Observed[];
  /** What may be missing among them; absent where nothing is known to be. */
  readonly losses?: readonly Loss[];
  /** Connections with SIP or MSRP that were closed; absent where none was seen to be. */
  readonly closings?: readonly Closing[];
  /** What could not be read, and why: a gap in a stream, a frame of an unknown kind, a torn end. */
  readonly remarks: readonly string[];
}
