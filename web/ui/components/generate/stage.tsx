/** The picture being drawn or chosen, the strip of its estimates, and all pictures of the render in a rack. */
import { previewUrl, urls } from '../../api.ts';
import { previews, shotsOf } from '../../state/facts.ts';
import { filmOf } from '../../state/film.ts';
import { lexiconOf } from '../../state/lexicon.ts';
import {
  change,
  chosen,
  generate,
  model,
  renders,
  shownPicture,
  view,
  viewed,
  viewedPictures,
  viewedProgress,
} from '../../state/session.ts';
import { count, percent } from '../../state/words.ts';
import { IconButton } from '../controls.tsx';
import { Icon } from '../icon.tsx';
import { nameOf, Picture } from '../picture.tsx';

export function Stage() {
  if (!viewed.value) return <First />;
  return (
    <div class="stage">
      <figure class="big">
        <Big />
        <Film />
      </figure>
      <Rack />
    </div>
  );
}

function Big() {
  const picture = shownPicture.value;
  const drawn = viewed.value && shotsOf(viewed.value.id).at(-1);
  if (picture)
    return (
      <div class="pic">
        <img
          src={urls.file(picture.id)}
          width={picture.width}
          height={picture.height}
          alt={`Number ${picture.index + 1}: ${nameOf(picture)}`}
          class="grown"
        />
      </div>
    );
  if (drawn)
    return (
      <div class="pic">
        <img
          src={previewUrl(drawn.png)}
          width="320"
          height="320"
          alt={`Number ${drawn.index + 1} at ${percent(drawn.share)}`}
        />
      </div>
    );
  const state = viewed.value?.state;
  return (
    <div class="pic pending">
      {state === 'running'
        ? 'The first estimate is on its way'
        : state === 'waiting'
          ? 'Waiting'
          : ''}
    </div>
  );
}

function Film() {
  const now = viewedProgress.value;
  const job = viewed.value;
  if (job?.state !== 'running' || !now || shownPicture.value) return null;
  return (
    <ul class="film" aria-label="Estimates of the picture on its way">
      {filmOf(shotsOf(job.id)).map(({ share, png, isNow }) => (
        <li key={share} class={isNow ? 'on' : ''}>
          <div class="pic">
            <img src={previewUrl(png)} width="64" height="64" alt="" />
          </div>
          <p class="under">
            {percent(share)}
            {isNow ? ', now' : ''}
          </p>
        </li>
      ))}
    </ul>
  );
}

/** Pictures that the rack shows; the gallery has them all. */
const MOST_SHOWN = 200;

function Rack() {
  const job = viewed.value!;
  const pictures = viewedPictures.value;
  const byIndex = new Map(pictures.map((picture) => [picture.index, picture]));
  const shots = previews.value.get(job.id) ?? [];
  const isRunning = job.state === 'running';
  const slots = Math.min(job.total, MOST_SHOWN);
  const { step = 0, steps = 1 } = viewedProgress.value ?? {};
  return (
    <div>
      <div class="rackhead">
        <h2>This render</h2>
        <span class="soft s">
          {count(pictures.length)} of {count(job.total)}
        </span>
        <Walker id={job.id} />
      </div>
      <section
        class={`rack ${job.total <= 4 ? 'few' : ''}`}
        aria-label="Results"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also before there is a picture to focus
        tabIndex={0}
      >
        {Array.from({ length: slots }, (_, index) => {
          const picture = byIndex.get(index);
          if (picture)
            return (
              <Picture
                key={index}
                picture={picture}
                isChosen={shownPicture.value === picture}
                onChoose={() => {
                  chosen.value = chosen.value === index && isRunning ? undefined : index;
                }}
              />
            );
          const live = shots.findLast((shot) => shot.index === index);
          if (isRunning && live)
            return (
              <div class="pic live" key={index} style={{ '--done': `${(100 * step) / steps}%` }}>
                <img src={previewUrl(live.png)} alt="" />
                <button
                  type="button"
                  class="open"
                  aria-label={`Show picture ${index + 1} being drawn`}
                  onClick={() => {
                    chosen.value = undefined;
                  }}
                />
              </div>
            );
          return (
            <div class="pic pending" key={index}>
              {isRunning || job.state === 'waiting' || job.state === 'paused'
                ? index + 1
                : 'not made'}
            </div>
          );
        })}
      </section>
      {job.total > MOST_SHOWN && (
        <p class="hint">
          The first {MOST_SHOWN} of {count(job.total)}. <a href="/gallery">All in the gallery</a>
        </p>
      )}
    </div>
  );
}

/** To the renders before and after this one. */
function Walker({ id }: { readonly id: string }) {
  const list = renders.value;
  const at = list.indexOf(id);
  if (list.length < 2 || at < 0) return <span class="push" />;
  return (
    <span class="push row tight">
      <span class="soft xs">
        {at + 1} of {list.length}
      </span>
      <IconButton
        icon="back"
        label="Earlier render"
        disabled={at === 0}
        onClick={() => view(list[at - 1]!)}
      />
      <IconButton
        icon="fwd"
        label="Later render"
        disabled={at === list.length - 1}
        onClick={() => view(list[at + 1]!)}
      />
    </span>
  );
}

/** Nothing was drawn yet: prompts to start from, made of the model's own words. */
function First() {
  if (!model.value) return null;
  const starts = startsOf(model.value);
  return (
    <div class="stack">
      <div class="stack tight">
        <h2>Nothing drawn yet</h2>
        <p class="soft">
          Type words of the model, or start from one of these. All settings have the values that the
          model was measured with.
        </p>
      </div>
      <div class="starts">
        {starts.map((prompt) => (
          <button
            type="button"
            class="btn big"
            key={prompt}
            onClick={() => {
              change({ prompt });
              void generate();
            }}
          >
            <Icon name="generate" />
            {prompt}
          </button>
        ))}
      </div>
    </div>
  );
}

/** One prompt a style: its name, and two words that it can draw. */
function startsOf(card: NonNullable<typeof model.value>): readonly string[] {
  const lexicon = lexiconOf(card);
  const styles = lexicon.styles.length > 0 ? lexicon.styles.slice(0, 8) : [undefined];
  const wanted = ['hair color', 'glasses', 'clothing color', 'body color', 'hat', 'skin color'];
  return styles.map((style, at) => {
    const said = style === undefined ? [] : [lexicon.phrases[style]!];
    for (const attribute of wanted) {
      const words = lexicon.phrases.filter(
        (phrase, word) =>
          lexicon.attributes[word] === attribute &&
          lexicon.fits(word, style) &&
          !phrase.startsWith('no ') &&
          !phrase.includes('='),
      );
      if (words.length > 0 && said.length < 3) said.push(words[(at * 5) % words.length]!);
    }
    return said.join(', ');
  });
}
