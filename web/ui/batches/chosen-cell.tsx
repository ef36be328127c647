/** The chosen cell of a sheet: its picture large, its recipe, what can be done with it. */
import { urls } from '../api.ts';
import { Icon } from '../components/icon.tsx';
import type { Drawn } from './batch-facts.ts';
import { axisTitle, cellName, type SheetCell } from './sheet.ts';

export function ChosenCell({
  cell,
  drawn: { job, picture },
}: {
  readonly cell: SheetCell;
  readonly drawn: Drawn;
}) {
  const request = job?.input.kind === 'render' ? job.input.request : undefined;
  const others = request ? [['Seed', String(request.seed)] as const] : [];
  const rows = [
    ...Object.entries(cell.values).map(([name, value]) => [axisTitle(name), value] as const),
    ...others.filter(() => !('seed' in cell.values)),
  ];
  return (
    <aside class="stack" aria-label="Chosen cell">
      <h3>Chosen cell</h3>
      {picture ? (
        <div class="pic">
          <img
            src={urls.file(picture.id)}
            alt={cellName(cell)}
            width={picture.width}
            height={picture.height}
          />
        </div>
      ) : (
        <div class={`pic ${job?.state === 'failed' ? 'failed' : 'pending'}`}>
          <span>
            {cell.request === undefined
              ? 'This combination gives the same picture as another, or none: it was left out.'
              : (job?.reason ?? 'not drawn yet')}
          </span>
        </div>
      )}
      <dl class="facts">
        {rows.map(([name, value]) => [
          <dt key={name}>{name}</dt>,
          <dd key={`${name} is`}>{value}</dd>,
        ])}
      </dl>
      {picture && (
        <div class="row wrap">
          <a class="btn" href={`/?from=${picture.id}`}>
            <Icon name="send" />
            Send to form
          </a>
          <a class="btn" href={urls.download(picture.id)} download>
            <Icon name="down" />
            Download
          </a>
        </div>
      )}
    </aside>
  );
}
