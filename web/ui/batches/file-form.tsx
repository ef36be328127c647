/** Requests from a file: dropped, chosen, or pasted; what is wrong is said with line and column before anything starts. */
import { useRef, useState } from 'preact/hooks';
import { Icon } from '../components/icon.tsx';
import { Note } from '../components/note.tsx';
import { complain } from '../state/toasts.ts';
import { bytes } from '../state/words.ts';
import { type ChosenFile, file, type Source, source, sourceOf } from './form.ts';

/** As much as the server takes in one body. */
const LARGEST = 16_000_000;

const EXAMPLES: Readonly<Record<Exclude<Source, 'grid'>, string>> = {
  csv: 'prompt,seed,width,height,steps\n"red hair, glasses",1,64,64,25\n"blue eyes, hat",2,128,128,25',
  jsonl:
    '{"prompt": "red hair, glasses", "seed": 1}\n{"prompt": "blue eyes, hat", "seed": 2, "size": {"width": 128, "height": 128}}',
  json: '[\n  { "prompt": "red hair, glasses", "seed": 1 },\n  { "prompt": "blue eyes, hat", "seed": 2 }\n]',
};

export async function readFile(chosen: File): Promise<ChosenFile> {
  if (chosen.size > LARGEST)
    throw new RangeError(
      `${chosen.name}: expected at most ${bytes(LARGEST)}, got ${bytes(chosen.size)}; split it into several batches`,
    );
  const text = await chosen.text();
  return { name: chosen.name, text, source: sourceOf(chosen.name, text) };
}

export function take(chosen: File): void {
  readFile(chosen).then((found) => {
    source.value = found.source;
    file.value = found;
  }, complain);
}

export function FileForm({ error }: { error?: string | undefined }) {
  const kind = source.value as Exclude<Source, 'grid'>;
  return (
    <div class="stack file-form">
      <Drop />
      <Text kind={kind} />
      {error && (
        <Note kind="bad" title="Nothing was started">
          {error}
        </Note>
      )}
    </div>
  );
}

function Drop() {
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const drag = (is: boolean) => (event: DragEvent) => {
    event.preventDefault();
    setOver(is);
  };
  return (
    <fieldset
      class={over ? 'drop over' : 'drop'}
      aria-label="File of requests"
      onDragOver={drag(true)}
      onDragLeave={drag(false)}
      onDrop={(event) => {
        drag(false)(event);
        const dropped = event.dataTransfer?.files[0];
        if (dropped) take(dropped);
      }}
    >
      <input
        ref={input}
        class="sr"
        type="file"
        id="batch-file"
        tabIndex={-1}
        aria-hidden="true"
        accept=".csv,.jsonl,.ndjson,.json,text/csv,application/json"
        onChange={({ currentTarget }) => {
          const [chosen] = currentTarget.files ?? [];
          if (chosen) take(chosen);
          currentTarget.value = '';
        }}
      />
      <p>
        {file.value ? (
          <>
            <b>{file.value.name}</b>, {bytes(new Blob([file.value.text]).size)}
          </>
        ) : (
          'Drop a CSV, JSONL or JSON file here'
        )}
      </p>
      <button type="button" class="btn" onClick={() => input.current?.click()}>
        <Icon name="plus" />
        {file.value ? 'Choose another file' : 'Choose a file'}
      </button>
    </fieldset>
  );
}

/** The file's rows may be mended here before they are sent. */
function Text({ kind }: { kind: Exclude<Source, 'grid'> }) {
  return (
    <label class="field">
      <span class="label">Rows</span>
      <textarea
        class="mono"
        rows={10}
        spellcheck={false}
        placeholder={EXAMPLES[kind]}
        value={file.value?.text ?? ''}
        onInput={({ currentTarget }) => {
          const text = currentTarget.value;
          file.value =
            text.trim() === ''
              ? undefined
              : { name: file.value?.name ?? `pasted.${kind}`, text, source: kind };
        }}
      />
      <span class="hint">
        {kind === 'csv'
          ? 'The first line names the columns; whatever is absent the model’s card says.'
          : 'A draft an entry: model, prompt, seed, size, sampling; whatever is absent the model’s card says.'}
      </span>
    </label>
  );
}
