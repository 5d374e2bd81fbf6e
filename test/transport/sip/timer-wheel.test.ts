/** The timer wheel. */

import { expect, test } from 'vitest';
import { ManualClock } from '../../../src/testing/clock.js';
import type { Clock } from '../../../src/ports.js';
import { TimerWheel, WheelTimer } from '../../../src/transport/sip/timer-wheel.js';

function target(clock: Clock, fired: string[], also?: (name: string) => void) {
  const start = clock.now();
  return {
    expired(name: string) {
      fired.push(`${name}@${clock.now() - start}`);
      also?.(name);
    },
  };
}

test('a timer runs out once, at its time', () => {
  const clock = new ManualClock();
  const wheel = new TimerWheel(clock);
  const fired: string[] = [];
  const timer = new WheelTimer(target(clock, fired));
  wheel.set(timer, 'E', 500);
  clock.advance(499);
  expect(fired).toEqual([]);
  clock.advance(1);
  clock.advance(100_000);
  expect(fired).toEqual(['E@500']);
  expect(wheel.size).toBe(0);
});

test('setting again replaces, cancelling withdraws', () => {
  const clock = new ManualClock();
  const wheel = new TimerWheel(clock);
  const fired: string[] = [];
  const one = new WheelTimer(target(clock, fired));
  const two = new WheelTimer(target(clock, fired));
  wheel.set(one, 'first', 100);
  wheel.set(one, 'second', 200);
  wheel.set(two, 'never', 200);
  wheel.cancel(two);
  wheel.cancel(two);
  wheel.cancel(undefined);
  clock.advance(1_000);
  expect(fired).toEqual(['second@200']);
});

test('a timer of many rounds does not run out early', () => {
  const clock = new ManualClock();
  const wheel = new TimerWheel(clock);
  const fired: string[] = [];
  wheel.set(new WheelTimer(target(clock, fired)), 'C', 180_000);
  wheel.set(new WheelTimer(target(clock, fired)), 'idle', 600_000);
  wheel.set(new WheelTimer(target(clock, fired)), 'round', 40_960);
  clock.advance(700_000);
  expect(fired).toEqual(['round@40960', 'C@180000', 'idle@600000']);
});

test('a timer set after a long rest counts from now', () => {
  const clock = new ManualClock();
  const wheel = new TimerWheel(clock);
  const fired: string[] = [];
  clock.advance(100_003);
  const start = clock.now();
  wheel.set(new WheelTimer({ expired: () => fired.push(`${clock.now() - start}`) }), 'E', 500);
  clock.advance(499);
  expect(fired).toEqual([]);
  clock.advance(10);
  expect(fired).toHaveLength(1);
});

test('what runs out may set and cancel timers of its own slot', () => {
  const clock = new ManualClock();
  const wheel = new TimerWheel(clock);
  const fired: string[] = [];
  const victims = ['a', 'b', 'c'].map((name) => ({
    name,
    timer: new WheelTimer(target(clock, fired)),
  }));
  const again = new WheelTimer(target(clock, fired));
  const killer = new WheelTimer(
    target(clock, fired, () => {
      for (const { timer } of victims) wheel.cancel(timer);
      wheel.set(again, 'again', 40_960);
    }),
  );
  wheel.set(killer, 'killer', 50);
  // Same slot, one round later: kept aside while the slot is emptied.
  for (const { name, timer } of victims) wheel.set(timer, name, 50 + 40_960);
  const survivor = new WheelTimer(target(clock, fired));
  wheel.set(survivor, 'survivor', 50 + 40_960);
  clock.advance(200_000);
  expect(fired).toEqual(['killer@50', 'survivor@41010', 'again@41010']);
});

test('a clock that is set back delays no timer', () => {
  let now = 1_000_000;
  let call: (() => void) | undefined;
  const clock: Clock = {
    now: () => now,
    after: (_delay, due) => {
      call = due;
      return () => (call = undefined);
    },
  };
  const turn = (ms: number): void => {
    now += ms;
    const due = call;
    call = undefined;
    due?.();
  };
  const wheel = new TimerWheel(clock);
  let fired = 0;
  wheel.set(new WheelTimer({ expired: () => fired++ }), 'E', 500);
  turn(100);
  turn(-3_600_000);
  for (let tick = 0; tick < 41; tick++) turn(10);
  expect(fired).toBe(1);
});

test('a clock that is set back while the wheel is idle makes no timer early', () => {
  const clock = new ManualClock();
  const shift = { ms: 0 };
  const shifted: Clock = {
    now: () => clock.now() + shift.ms,
    after: (delay, call) => clock.after(delay, call),
  };
  const wheel = new TimerWheel(shifted);
  const fired: string[] = [];
  wheel.set(new WheelTimer(target(clock, fired)), 'first', 1_000);
  clock.advance(2_000);
  shift.ms = -3_600_000;
  wheel.set(new WheelTimer(target(clock, fired)), 'second', 500);
  clock.advance(490);
  expect(fired).toEqual(['first@1000']);
  clock.advance(10);
  expect(fired).toEqual(['first@1000', 'second@500']);
});

test('a clock that leaps makes every timer run out', () => {
  let now = 0;
  let call: (() => void) | undefined;
  const clock: Clock = {
    now: () => now,
    after: (_delay, due) => {
      call = due;
      return () => (call = undefined);
    },
  };
  const wheel = new TimerWheel(clock);
  let fired = 0;
  for (const ms of [10, 500, 32_000, 180_000, 600_000]) {
    wheel.set(new WheelTimer({ expired: () => fired++ }), 'X', ms);
  }
  now += 86_400_000;
  call?.();
  expect(fired).toBe(5);
  expect(wheel.size).toBe(0);
});

test('while no timer is due the wheel sleeps, and one that is due earlier wakes it', () => {
  const clock = new ManualClock();
  let asked = 0;
  const counting: Clock = {
    now: () => clock.now(),
    after: (delay, call) => {
      asked++;
      return clock.after(delay, call);
    },
  };
  const wheel = new TimerWheel(counting);
  const fired: string[] = [];
  wheel.set(new WheelTimer(target(clock, fired)), 'J', 32_000);
  clock.advance(995);
  wheel.set(new WheelTimer(target(clock, fired)), 'G', 500);
  clock.advance(40_000);
  expect(fired).toEqual(['G@505', 'J@32000']);
  expect(asked).toBeLessThan(50);
});

test('stop forgets everything', () => {
  const clock = new ManualClock();
  const wheel = new TimerWheel(clock);
  const fired: string[] = [];
  wheel.set(new WheelTimer(target(clock, fired)), 'E', 500);
  wheel.stop();
  clock.advance(1_000);
  expect(fired).toEqual([]);
  expect(wheel.size).toBe(0);
});
