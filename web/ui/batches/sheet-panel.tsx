/** A grid's pictures in a table with sticky heads: two axes across and down, others chosen; one cell large beside it. */
import { useEffect, useState } from 'preact/hooks';
import type { BatchInput } from '../../../jobs/job.ts';
import { type Job, urls } from '../api.ts';
import { Empty, Seg, Select } from '../components/controls.tsx';
import { Icon } from '../components/icon.tsx';
import { Scroll } from '../components/scroll.tsx';
import { modelById } from '../state/models.ts';
import { count } from '../state/words.ts';
import { trainedOf } from './axes.ts';
import type { BatchFacts, Drawn } from './batch-facts.ts';
import { ChosenCell } from './chosen-cell.tsx';
import {
  axisTitle,
  cellName,
  layoutOf,
  moved,
  requestsByCell,
  type SheetAxis,
  type SheetCell,
  type SheetLayout,
  type SheetTable,
  sheetTable,
  wideAxes,
} from './sheet.ts';

type CellSize = 'S' | 'M' | 'L';
const CELL: Readonly<Record<CellSize, string>> = { S: '72px', M: '116px', L: '172px' };

export function SheetPanel({ facts }: { facts: BatchFacts }) {
  const input = facts.input.value;
  useEffect(() => facts.loadRequests(), [facts]);
  if (!input) return <p class="soft">Loading the batch</p>;
  if (!input.axes)
    return (
      <Empty title="No sheet">
        A sheet needs a grid: its axes stand across and down. This batch came from a file.
      </Empty>
    );
  return <Sheet facts={facts} input={input} axes={input.axes} />;
}

function Sheet({
  facts,
  input,
  axes,
}: {
  readonly facts: BatchFacts;
  readonly input: BatchInput;
  readonly axes: readonly SheetAxis[];
}) {
  const [layout, setLayout] = useState(() => layoutOf(axes) ?? { x: '' });
  const [fixed, setFixed] = useState<Readonly<Record<string, string>>>({});
  const [size, setSize] = useState<CellSize>('M');
  const [chosen, setChosen] = useState<readonly [number, number]>([0, 0]);
  const table = sheetTable(axes, layout, fixed, requestsByCell(axes, input.cells));
  const drawnAt = (cell: SheetCell): Drawn => {
    const job = cell.request === undefined ? undefined : facts.children.value.get(cell.request);
    return { job, picture: job && facts.pictures.value.get(job.id) };
  };
  const [row, column] = [
    Math.min(chosen[0], table.down.length - 1),
    Math.min(chosen[1], table.across.length - 1),
  ];
  const cell = table.cells[row]![column]!;
  const others = wideAxes(axes).filter(({ name }) => name !== layout.x && name !== layout.y);
  return (
    <div class="card">
      <header>
        <h2>
          {[layout.x, layout.y]
            .filter(Boolean)
            .map((name) => axisTitle(name!))
            .join(' × ')}
        </h2>
        <p>{subtitle(axes, facts.job.value)}</p>
        <span class="push row wrap">
          <Seg
            legend="Size of the cells"
            options={(['S', 'M', 'L'] as const).map((value) => ({ value, label: value }))}
            value={size}
            onChange={setSize}
          />
          <a
            class="btn"
            href={urls.sheet(input.axes ? facts.job.value!.id : '', {
              x: layout.x,
              ...(layout.y !== undefined && { y: layout.y }),
              ...(layout.z !== undefined && { z: layout.z }),
            })}
            download
          >
            <Icon name="down" />
            Sheet as PNG
          </a>
        </span>
      </header>
      <LayoutForm axes={axes} layout={layout} onChange={setLayout} />
      {others.map((axis) => (
        <FixedAxis
          key={axis.name}
          axis={axis}
          value={fixed[axis.name] ?? axis.values[0]!}
          onChange={(value) => setFixed({ ...fixed, [axis.name]: value })}
        />
      ))}
      <div class="sheetrow" style={{ '--cell': CELL[size] }}>
        <SheetGrid
          {...{ table, layout, drawnAt }}
          trained={trainedSize(input)}
          chosen={[row, column]}
          onChoose={setChosen}
        />
        <ChosenCell cell={cell} drawn={drawnAt(cell)} />
      </div>
    </div>
  );
}

const trainedSize = ({ requests }: BatchInput): string | undefined => {
  const model = modelById.value.get(requests[0]?.model ?? '');
  return model && trainedOf(model);
};

function subtitle(axes: readonly SheetAxis[], job: Job | undefined): string {
  const single = axes
    .filter(({ values }) => values.length === 1)
    .map(({ name, values }) => (name === 'prompt' ? values[0] : `${name} ${values[0]}`));
  const done = job && `${count(job.done)} of ${count(job.total)} pictures`;
  return [...single, done].filter(Boolean).join(', ');
}

function LayoutForm({
  axes,
  layout,
  onChange,
}: {
  readonly axes: readonly SheetAxis[];
  readonly layout: SheetLayout;
  readonly onChange: (layout: SheetLayout) => void;
}) {
  const wide = wideAxes(axes);
  if (wide.length < 2) return null;
  const options = wide.map(({ name }) => ({ value: name, label: axisTitle(name) }));
  const { x, y, z } = layout;
  /** An axis that was elsewhere changes places with the one that it replaces. */
  const put = (place: keyof SheetLayout, name: string) => {
    const before = layout[place];
    const swapped = Object.fromEntries(
      Object.entries(layout).map(([other, own]) => [other, own === name ? before : own]),
    );
    onChange({ ...(swapped as SheetLayout), [place]: name });
  };
  const field = (place: keyof SheetLayout, label: string, value: string | undefined) => (
    <label class="row s" for={`sheet-${place}`}>
      {label}
      <Select
        id={`sheet-${place}`}
        value={value ?? ''}
        options={options}
        onChange={(name) => put(place, name)}
      />
    </label>
  );
  return (
    <div class="row wrap layout">
      {field('x', 'Across', x)}
      {field('y', 'Down', y)}
      {wide.length > 2 && field('z', 'A sheet for each', z)}
    </div>
  );
}

/** Values beyond this many are a list instead of buttons. */
const FEW = 6;

function FixedAxis({
  axis,
  value,
  onChange,
}: {
  readonly axis: SheetAxis;
  readonly value: string;
  readonly onChange: (value: string) => void;
}) {
  const options = axis.values.map((one) => ({ value: one, label: one }));
  return (
    <div class="row wrap layout">
      {axis.values.length <= FEW ? (
        <>
          <span class="s">{axisTitle(axis.name)}</span>
          <Seg legend={axisTitle(axis.name)} options={options} value={value} onChange={onChange} />
        </>
      ) : (
        <label class="row s" for={`fixed-${axis.name}`}>
          {axisTitle(axis.name)}
          <Select id={`fixed-${axis.name}`} value={value} options={options} onChange={onChange} />
        </label>
      )}
    </div>
  );
}

function SheetGrid({
  table,
  layout,
  trained,
  drawnAt,
  chosen,
  onChoose,
}: {
  readonly table: SheetTable;
  readonly layout: SheetLayout;
  readonly trained: string | undefined;
  readonly drawnAt: (cell: SheetCell) => Drawn;
  readonly chosen: readonly [number, number];
  readonly onChoose: (cell: readonly [number, number]) => void;
}) {
  const { across, down, cells } = table;
  const { x, y } = layout;
  const onKeyDown = (event: KeyboardEvent) => {
    const next = moved(chosen, event.key, [down.length, across.length]);
    if (!next) return;
    event.preventDefault();
    onChoose(next);
    document.getElementById(`cell-${next[0]}-${next[1]}`)?.focus();
  };
  return (
    <Scroll label={`${axisTitle(x)}${y ? ` by ${axisTitle(y)}` : ''}`} class="both">
      <table class="sheet" onKeyDown={onKeyDown}>
        <caption class="sr">
          {axisTitle(x)} across{y && `, ${axisTitle(y)} down`}
        </caption>
        <thead>
          <tr>
            <td />
            <th class="axisname" colSpan={across.length} scope="colgroup">
              {axisTitle(x)}
            </th>
          </tr>
          <tr>
            {y ? (
              <th class="axisname" scope="col">
                {axisTitle(y)}
              </th>
            ) : (
              <td />
            )}
            {across.map((value) => (
              <th
                key={value}
                scope="col"
                class={x === 'size' && value === trained ? 'home-col' : ''}
              >
                <Value axis={x} value={value} trained={trained} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {down.map((value, row) => (
            <tr key={value}>
              <th scope="row">{y && <Value axis={y} value={value} trained={trained} />}</th>
              {cells[row]!.map((cell, column) => (
                <td key={across[column]}>
                  <Cell
                    id={`cell-${row}-${column}`}
                    cell={cell}
                    drawn={drawnAt(cell)}
                    chosen={chosen[0] === row && chosen[1] === column}
                    onChoose={() => onChoose([row, column])}
                  />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

const Value = ({
  axis,
  value,
  trained,
}: {
  axis: string;
  value: string;
  trained: string | undefined;
}) => (
  <>
    {axis === 'size' ? value.replace(/^(\d+)x\1$/, '$1').replace('x', ' × ') : value}
    {axis === 'size' && value === trained && <span class="sub">trained</span>}
  </>
);

function Cell({
  id,
  cell,
  drawn: { job, picture },
  chosen,
  onChoose,
}: {
  readonly id: string;
  readonly cell: SheetCell;
  readonly drawn: Drawn;
  readonly chosen: boolean;
  readonly onChoose: () => void;
}) {
  const state =
    cell.request === undefined
      ? 'same as another'
      : job?.state === 'failed'
        ? 'failed'
        : (job?.state ?? 'waiting');
  const kind = picture ? '' : job?.state === 'failed' ? 'failed' : 'pending';
  return (
    <div class={`pic ${kind} ${chosen ? 'sel' : ''}`}>
      {picture ? (
        <img
          src={urls.thumb(picture.id, 256)}
          alt={cellName(cell)}
          width={picture.width}
          height={picture.height}
          loading="lazy"
        />
      ) : (
        <span>{state}</span>
      )}
      <button
        type="button"
        class="open"
        id={id}
        tabIndex={chosen ? 0 : -1}
        aria-pressed={chosen}
        aria-label={picture ? cellName(cell) : `${cellName(cell)}: ${state}`}
        onClick={onChoose}
      />
    </div>
  );
}
