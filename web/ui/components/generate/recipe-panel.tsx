/** Everything that made the chosen picture, and what can be done with it. */
import { Fragment } from 'preact';
import { useRef } from 'preact/hooks';
import { api, type StoredPicture } from '../../api.ts';
import { foreign, programOf, takeFile } from '../../state/drop.ts';
import { modelById } from '../../state/models.ts';
import { remove, sameSeed, sendToForm, vary } from '../../state/pictures.ts';
import { factsOf, recipeOf } from '../../state/recipe.ts';
import { go } from '../../state/router.ts';
import { change, shownPicture, viewed } from '../../state/session.ts';
import { complain } from '../../state/toasts.ts';
import { Icon } from '../icon.tsx';
import { PictureActions } from '../picture-actions.tsx';

export function RecipePanel() {
  const picture = shownPicture.value;
  return (
    <div class="stack">
      <div class="row wide-only">
        <h2>Recipe</h2>
        {picture && (
          <span class="soft s push">
            picture {picture.index + 1} of {viewed.value?.total}
          </span>
        )}
      </div>
      {picture ? (
        <Recipe picture={picture} />
      ) : (
        <p class="soft s">Choose a finished picture to see everything that made it.</p>
      )}
      <Drop />
    </div>
  );
}

function Recipe({ picture }: { readonly picture: StoredPicture }) {
  return (
    <>
      <Facts picture={picture} />
      <div class="stack tight">
        <button type="button" class="btn" onClick={() => sendToForm(picture)}>
          <Icon name="send" />
          Send to form <kbd>F</kbd>
        </button>
        <div class="two">
          <button type="button" class="btn" onClick={() => sameSeed(picture)}>
            <Icon name="seed" />
            Same seed
          </button>
          <button type="button" class="btn" onClick={() => vary(picture)}>
            <Icon name="vary" />
            Vary
          </button>
        </div>
        <EveryMethod picture={picture} />
        <PictureActions picture={picture} onErase={() => remove([picture])} />
      </div>
      <p class="hint">
        The recipe is inside the PNG. The same recipe gives the same picture, alone or in any batch.
      </p>
    </>
  );
}

export function Facts({ picture }: { readonly picture: StoredPicture }) {
  return (
    <dl class="facts">
      {factsOf(picture, modelById.value.get(picture.model)).map(({ name, value, isCode }) => (
        <Fragment key={name}>
          <dt>{name}</dt>
          <dd class={isCode ? 'mono' : ''}>{value}</dd>
        </Fragment>
      ))}
    </dl>
  );
}

/** The recipe once with every extension, or every decoder: a batch of a few pictures, side by side. */
function EveryMethod({ picture }: { readonly picture: StoredPicture }) {
  const recipe = recipeOf(picture.recipe);
  const model = modelById.value.get(picture.model);
  if (!recipe || !model) return null;
  const { request } = recipe;
  const { sampling } = model;
  const axis =
    sampling.kind === 'diffusion'
      ? {
          name: 'extension',
          values: [...new Set(['none', ...sampling.extensions.map(({ name }) => name)])],
        }
      : { name: 'decoder', values: sampling.decoders.map(({ name }) => name) };
  if (axis.values.length < 2) return null;
  const start = async () => {
    const { version: _, position: __, ...base } = request;
    const sampling =
      base.sampling.kind === 'tokens' ? { ...base.sampling, decoderOptions: {} } : base.sampling;
    const title = `every ${axis.name}, seed ${request.seed}`;
    const { job } = await api.batch({
      title,
      grid: { base: { ...base, sampling, count: 1 }, axes: [axis] },
    });
    go(`/batches?job=${job.id}`);
  };
  return (
    <button
      type="button"
      class="btn"
      title={`Draws ${axis.values.length} pictures as a batch`}
      onClick={() => start().catch(complain)}
    >
      <Icon name="compare" />
      Every {axis.name}, this seed
    </button>
  );
}

function Drop() {
  const input = useRef<HTMLInputElement>(null);
  return (
    <div class="drop">
      Drop a PNG here to restore its recipe, or{' '}
      <button type="button" class="link inline" onClick={() => input.current?.click()}>
        choose a file
      </button>
      . Reads Ropewalk, A1111, ComfyUI, InvokeAI and SwarmUI files.
      <input
        ref={input}
        type="file"
        accept="image/png,image/jpeg,image/webp"
        class="sr"
        tabIndex={-1}
        aria-label="PNG with a recipe"
        onChange={({ currentTarget }) => {
          void takeFile(currentTarget.files?.[0]);
          currentTarget.value = '';
        }}
      />
    </div>
  );
}

/** What another program wrote in a picture: text to read, and its first line as a prompt. */
export function Foreign() {
  const info = foreign.value;
  if (!info) return null;
  const close = () => {
    foreign.value = undefined;
  };
  const prompt = info.facts?.Prompt ?? '';
  const text = info.parameters ?? Object.values(info.items).join('\n\n');
  return (
    <dialog
      aria-labelledby="foreign-h"
      onClose={close}
      ref={(element) => {
        if (element && !element.open) element.showModal();
      }}
    >
      <h2 id="foreign-h">A picture by {programOf(info)}</h2>
      <p class="soft s">
        {info.name} says how it was made, for models that are not here. The words can be used where
        this model knows them.
      </p>
      <pre class="foreign">{text.slice(0, 4000)}</pre>
      <form method="dialog" class="row">
        <button
          type="submit"
          class="btn main"
          onClick={() => change({ prompt: prompt.slice(0, 4000) })}
        >
          Use its prompt
        </button>
        <button type="submit" class="btn push">
          Close
        </button>
      </form>
    </dialog>
  );
}
