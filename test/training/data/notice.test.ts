import { readFileSync } from 'node:fs';
import * as collection from '@dicebear/collection';
import { expect, test } from 'vitest';
import { styleNames, styles } from '../../../training/data/avatar-traits.ts';
import { emojiSets } from '../../../training/data/emoji.ts';

const notice = readFileSync(new URL('../../../NOTICE', import.meta.url), 'utf8');

const drawn = { ...collection };

test.each(styleNames)(
  'NOTICE credits %s: work, author and licence as the style states them',
  (name) => {
    const { meta } = drawn[name];
    const line = notice.split('\n').find((text) => text.startsWith(`   ${styles[name].label} `));
    expect(line).toContain(meta.title);
    expect(line).toContain(meta.creator?.split(' - ')[0]);
    expect(line?.toLowerCase()).toContain(meta.license?.name?.toLowerCase());
    expect(notice).toContain(meta.source);
  },
);

test.each(Object.keys(emojiSets))('NOTICE credits %s, which is not share-alike', (name) => {
  const path = new URL(`../../../node_modules/@iconify-json/${name}/info.json`, import.meta.url);
  const { license } = JSON.parse(readFileSync(path, 'utf8')) as {
    license: { title: string; spdx: string };
  };
  expect(license.spdx).not.toMatch(/-SA/);
  const line = notice.split('\n').find((text) => text.startsWith(`   ${name} `));
  expect(line).toContain(
    license.title.replace('Apache', 'Apache License').replace('MIT', 'MIT License'),
  );
});
