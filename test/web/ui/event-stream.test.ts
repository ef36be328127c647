/** Server-sent events as they come in pieces, against the examples of the HTML standard, section 9.2.6. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoff, eventReader } from '../../../web/ui/state/event-stream.ts';

const readAll = (parts: readonly string[]) => {
  const read = eventReader();
  return parts.flatMap((part) => read(part));
};

describe('eventReader', () => {
  it('joins lines of data and knows the name of an event', () => {
    expect(readAll(['event: add\ndata: 7385\ndata: and more\n\n'])).toEqual([
      { event: 'add', data: '7385\nand more' },
    ]);
  });

  it('keeps the last id for events without one; comments and events without data say nothing', () => {
    const text =
      ': test stream\n\ndata: first event\nid: 1\n\ndata:second event\n\nid: 3\n\ndata: x\n\n';
    expect(readAll([text])).toEqual([
      { event: 'message', data: 'first event', id: '1' },
      { event: 'message', data: 'second event', id: '1' },
      { event: 'message', data: 'x', id: '3' },
    ]);
  });

  it('takes away one space only, and reads a field without a colon', () => {
    expect(readAll(['data:  two\n\ndata\n\n'])).toEqual([
      { event: 'message', data: ' two' },
      { event: 'message', data: '' },
    ]);
  });

  it('does not care where the pieces are cut, nor how lines end', () => {
    const plain = 'id: 4\nevent: job\ndata: {"a":1}\n\n: beat\n\ndata: b\n\n';
    const whole = readAll([plain]);
    fc.assert(
      fc.property(
        fc.constantFrom('\n', '\r\n', '\r'),
        fc.array(fc.nat(60), { maxLength: 8 }),
        (end, cuts) => {
          const text = `${plain.replaceAll('\n', end)}:${end === '\r' ? '\n' : ''}`;
          const at = [0, ...cuts.sort((a, b) => a - b), text.length];
          expect(readAll(at.slice(1).map((to, i) => text.slice(at[i], to)))).toEqual(whole);
        },
      ),
    );
  });
});

describe('backoff', () => {
  it('doubles up to a quarter of a minute', () => {
    expect([1, 2, 3, 4, 5, 20].map(backoff)).toEqual([1, 2, 4, 8, 15, 15]);
  });
});
