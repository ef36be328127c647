/** Rows of a long list that are in sight, by the window's scrolling. */
import {
  observeWindowOffset,
  observeWindowRect,
  type VirtualItem,
  Virtualizer,
  windowScroll,
} from '@tanstack/virtual-core';
import { useEffect, useMemo, useReducer } from 'preact/hooks';

export type VirtualRows = {
  readonly items: readonly VirtualItem[];
  readonly height: number;
  readonly scrollTo: (row: number) => void;
};

export function useVirtualRows(
  count: number,
  sizeOf: (row: number) => number,
  /** Distance of the list from the page's top. */
  top: number,
): VirtualRows {
  const [, redraw] = useReducer<number, void>((drawn) => drawn + 1, 0);
  const options = {
    count,
    estimateSize: sizeOf,
    getScrollElement: () => window,
    observeElementRect: observeWindowRect,
    observeElementOffset: observeWindowOffset,
    scrollToFn: windowScroll,
    scrollMargin: top,
    /** Below the header and above the tray. */
    scrollPaddingStart: 70,
    scrollPaddingEnd: 90,
    overscan: 4,
    initialOffset: () => window.scrollY,
    onChange: () => redraw(),
  };
  const virtualizer = useMemo(() => new Virtualizer<Window, Element>(options), []);
  virtualizer.setOptions(options);
  useMemo(() => virtualizer.measure(), [sizeOf, count, top]);
  useEffect(() => virtualizer._didMount(), [virtualizer]);
  useEffect(() => virtualizer._willUpdate());
  return {
    items: virtualizer.getVirtualItems(),
    height: virtualizer.getTotalSize(),
    scrollTo: (row) => virtualizer.scrollToIndex(row, { align: 'auto' }),
  };
}
