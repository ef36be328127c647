/** How report pages look, in light and dark; charts take their colours from the same variables. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --ink: #1d1f21; --faint: #d9dcdf; --paper: #ffffff; --ground: #f5f6f7; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e6e6; --faint: #3c4045; --paper: #202326; --ground: #16181a; }
}
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 980px; margin: 0 auto; padding: 24px 16px 64px; }
h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 19px; margin: 36px 0 8px; }
p, li { max-width: 72ch; } ul { padding-left: 20px; }
.charts { display: flex; flex-wrap: wrap; gap: 12px; }
.charts svg, .legend svg { max-width: 100%; height: auto; border-radius: 6px; }
/* As wide as the window where that is needed: a sheet of many sizes is wider than text. */
.scroll { overflow-x: auto; margin: 12px 0; width: max-content; min-width: 100%; max-width: calc(100vw - 48px); position: relative; left: 50%; transform: translateX(-50%); }
.scroll img { image-rendering: pixelated; border-radius: 6px; }
table { border-collapse: collapse; background: var(--paper); font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 9px; text-align: right; border-bottom: 1px solid var(--faint); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } .told { font-weight: 600; } .note { opacity: 0.75; }
`;
