/** Builds the page into dist/web/ui. Nothing is inlined, so that a strict Content-Security-Policy holds. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

/** Writes each text file compressed beside itself, once, rather than at every request. */
const compressed: Plugin = {
  name: 'compressed',
  async writeBundle({ dir: outDir = '' }) {
    const names = await readdir(outDir, { recursive: true });
    for (const name of names.filter((name) => /\.(js|css|svg|html)$/.test(name))) {
      const file = await readFile(join(outDir, name));
      await writeFile(join(outDir, `${name}.br`), brotliCompressSync(file));
      await writeFile(join(outDir, `${name}.gz`), gzipSync(file));
    }
  },
};

export default defineConfig({
  root: import.meta.dirname,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  plugins: [compressed],
  build: {
    outDir: '../../dist/web/ui',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    target: 'es2022',
    reportCompressedSize: false,
  },
});
