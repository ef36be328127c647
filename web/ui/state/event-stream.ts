/**
 * Server-sent events (HTML Living Standard, section 9.2.6) read from a `fetch`: EventSource neither says
 * why it failed nor when it tries again, and cannot be told the last id of an earlier connection.
 */

export type ServerEvent = {
  readonly id?: string;
  readonly event: string;
  readonly data: string;
};

/** Feed it text as it comes; returns the events that are complete, and `beat` for anything at all. */
export function eventReader(): (text: string) => readonly ServerEvent[] {
  let rest = '';
  let id: string | undefined;
  let event = '';
  let data: string[] = [];

  const line = (text: string): ServerEvent | undefined => {
    if (text === '') {
      const done =
        data.length > 0 ? { event: event || 'message', data: data.join('\n') } : undefined;
      event = '';
      data = [];
      return done && { ...done, ...(id !== undefined && { id }) };
    }
    const colon = text.indexOf(':');
    const field = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? '' : text.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') data.push(value);
    else if (field === 'event') event = value;
    else if (field === 'id' && !value.includes('\0')) id = value;
    return undefined;
  };

  return (text) => {
    rest += text;
    const events: ServerEvent[] = [];
    // A carriage return at the very end may be half of a line's end.
    for (let end = /\r\n|\n|\r(?!$)/.exec(rest); end; end = /\r\n|\n|\r(?!$)/.exec(rest)) {
      const found = line(rest.slice(0, end.index));
      rest = rest.slice(end.index + end[0].length);
      if (found) events.push(found);
    }
    return events;
  };
}

/** Seconds until the next try, of the `tries`th in a row: 1, 2, 4, 8, then 15. */
export const backoff = (tries: number): number => Math.min(15, 2 ** Math.max(0, tries - 1));
