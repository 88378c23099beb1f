import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { array, assert as check, integer, property } from 'fast-check';
import { PlaceDesk, type PlaceMessage } from './place-desk.ts';

/** Workers that fill places, with messages that arrive one by one. */
class Office {
  readonly messages: PlaceMessage<string>[] = [];
  readonly desk: PlaceDesk<string>;
  readonly taken = new Map<string, number>();
  readonly granted = new Map<string, number>();
  /** Of each ask, whether it was met. */
  readonly answers: boolean[] = [];
  readonly asking = new Set<string>();

  constructor(max: number) {
    this.desk = new PlaceDesk(max, (message) => this.messages.push(message));
  }

  get out(): number {
    return [...this.taken.values()].reduce((sum, each) => sum + each, 0);
  }

  begin(worker: string): void {
    if (this.#count(this.taken, worker) < this.#count(this.granted, worker)) {
      this.taken.set(worker, this.#count(this.taken, worker) + 1);
      return;
    }
    if (this.asking.has(worker)) return;
    this.asking.add(worker);
    this.desk.ask(worker, 1);
  }

  end(worker: string): void {
    this.taken.set(worker, Math.max(0, this.#count(this.taken, worker) - 1));
  }

  deliver(): void {
    for (let message = this.messages.shift(); message !== undefined; message = this.messages.shift()) {
      const { worker } = message;
      const granted = this.#count(this.granted, worker);
      if (message.kind === 'granted') {
        this.asking.delete(worker);
        this.answers.push(message.count > 0);
        this.granted.set(worker, granted + message.count);
        if (message.count > 0) this.begin(worker);
      } else {
        const spare = Math.max(0, granted - this.#count(this.taken, worker));
        this.granted.set(worker, granted - spare);
        this.desk.back(worker, spare);
      }
    }
  }

  #count(of: Map<string, number>, worker: string): number {
    return of.get(worker) ?? 0;
  }
}

describe('places that workers share', () => {
  test('all can be taken by one worker, after the others have given theirs back', () => {
    const office = new Office(10);
    for (const worker of ['a', 'b']) {
      office.begin(worker);
      office.deliver();
    }
    office.end('b');
    for (let n = 0; n < 12; n++) {
      office.begin('a');
      office.deliver();
    }
    assert.equal(office.taken.get('a'), 10);
    assert.equal(office.answers.at(-1), false);
  });

  test('those of a worker that has died are free', () => {
    const office = new Office(1);
    office.begin('a');
    office.deliver();
    office.desk.gone('a');
    office.taken.delete('a');
    office.begin('b');
    office.deliver();
    assert.equal(office.taken.get('b'), 1);
  });

  test('are never more than there are, and nobody is refused while one is free', () => {
    check(
      property(
        integer({ min: 1, max: 20 }),
        array(integer({ min: 0, max: 5 }), { maxLength: 200 }),
        (max, moves) => {
          const office = new Office(max);
          for (const move of moves) {
            const worker = 'abc'[move % 3] ?? 'a';
            if (move >= 3) office.end(worker);
            else office.begin(worker);
            const before = office.out;
            const asked = office.answers.length;
            office.deliver();
            assert.ok(office.out <= max);
            if (office.answers.slice(asked).includes(false)) assert.equal(before, max);
          }
        },
      ),
    );
  });
});
