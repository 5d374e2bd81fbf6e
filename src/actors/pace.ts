/** How much of what nobody waits for is done before the event loop looks at everything else. */

export class Pace {
  readonly #atOnce: number;
  #taken = 0;
  #next: Promise<void> | undefined;

  /** `atOnce`: turns of all accounts together. */
  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /** One turn is about to be taken; the promise is there when it has to wait for the next round. */
  turn(): Promise<void> | undefined {
    if (this.#taken >= this.#atOnce) return this.#wait();
    this.#taken++;
    return undefined;
  }

  async #wait(): Promise<void> {
    while (this.#taken >= this.#atOnce) {
      this.#next ??= nextRound().then(() => {
        this.#taken = 0;
        this.#next = undefined;
      });
      await this.#next;
    }
    this.#taken++;
  }
}

function nextRound(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
