/** The TCP connections of a capture, from their segments. */

import { Conversation, type Findings } from './conversation.js';
import type { Stamp } from './frame.js';
import { Sequence } from './sequence.js';
import { StreamContent } from './stream-content.js';
import type { TcpSegment } from './tcp-segment.js';

/** One direction. */
interface Direction {
  readonly source: string;
  readonly sequence: Sequence;
  readonly content: StreamContent;
}

interface Connection {
  readonly conversation: Conversation;
  readonly directions: readonly [Direction, Direction];
  heldBytes: number;
  isOver: boolean;
}

export class Connections {
  readonly #findings: Findings;
  /** Those that were silent for longest come first. */
  readonly #connections = new Map<string, Connection>();
  #heldBytes = 0;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  take(segment: TcpSegment, stamp: Stamp): void {
    const { source, target } = segment;
    const key = source < target ? `${source} ${target}` : `${target} ${source}`;
    const connection = this.#connectionOf(key, segment);
    if (connection === undefined) return;
    const there = connection.directions.find((direction) => direction.source === source)!;
    const back = connection.directions.find((direction) => direction !== there)!;
    if (segment.isSyn && !connection.isOver) there.sequence.open(segment.sequence);
    if (!connection.isOver) {
      const hadEnded = there.sequence.hasEnded;
      there.sequence.take(segment, stamp);
      const isFinished = !hadEnded && there.sequence.hasEnded;
      if (isFinished) connection.conversation.close(segment, 'FIN', stamp);
      else if (segment.isReset) connection.conversation.close(segment, 'RST', stamp);
      if (segment.acknowledged !== undefined) back.sequence.confirm(segment.acknowledged);
      if (segment.isReset) endOf(connection);
    }
    connection.isOver ||= there.sequence.hasEnded && back.sequence.hasEnded;
    this.#account(connection);
    this.#evict(stamp);
  }

  /** The capture ends here. */
  end(): void {
    for (const connection of this.#connections.values()) endOf(connection);
    this.#connections.clear();
  }

  /** The one that the segment belongs to; undefined when it says nothing of any. */
  #connectionOf(key: string, segment: TcpSegment): Connection | undefined {
    const { source, isSyn, sequence } = segment;
    const known = this.#connections.get(key);
    this.#connections.delete(key);
    if (known !== undefined) {
      const direction = known.directions.find((one) => one.source === source)!;
      const isSame = isSyn
        ? direction.sequence.isOpenedBy(sequence)
        : direction.sequence.isNear(sequence);
      if (isSame) {
        this.#connections.set(key, known);
        return known;
      }
      // The ports are in use again.
      endOf(known);
      this.#account(known);
    }
    const isEmpty = segment.payload.length + segment.missing === 0;
    if (!isSyn && isEmpty) return undefined;
    const connection = this.#open(segment);
    this.#connections.set(key, connection);
    return connection;
  }

  #open({ source, target, isSyn }: TcpSegment): Connection {
    const conversation = new Conversation(this.#findings, isSyn);
    const direction = (from: string, to: string): Direction => {
      const content = new StreamContent(conversation, { source: from, target: to });
      const { aheadBytes } = this.#findings.limits;
      return { source: from, content, sequence: new Sequence(content, aheadBytes) };
    };
    const directions = [direction(source, target), direction(target, source)] as const;
    return { conversation, directions, heldBytes: 0, isOver: false };
  }

  #account(connection: Connection): void {
    let heldBytes = 0;
    for (const { sequence, content } of connection.directions) {
      heldBytes += sequence.heldBytes + content.heldBytes;
    }
    this.#heldBytes += heldBytes - connection.heldBytes;
    connection.heldBytes = heldBytes;
  }

  /** Beyond the bounds the ones that were silent for longest are told as far as they have come. */
  #evict({ number }: Stamp): void {
    const { connections, heldBytes } = this.#findings.limits;
    for (const [key, connection] of this.#connections) {
      const isWithin = this.#connections.size <= connections && this.#heldBytes <= heldBytes;
      if (isWithin) return;
      this.#connections.delete(key);
      if (!connection.isOver) {
        endOf(connection);
        this.#findings.remarks.count('connections beyond the bound were given up', number);
      }
      this.#account(connection);
    }
  }
}

function endOf(connection: Connection): void {
  connection.isOver = true;
  for (const { sequence } of connection.directions) sequence.end();
}
