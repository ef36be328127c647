/** Runs at once, then at most every `pause` ms, and once more after the last call. */
export function calmly(run: () => unknown, pause: number): () => void {
  let [waiting, again] = [false, false];
  const next = () => {
    run();
    waiting = true;
    setTimeout(() => {
      waiting = false;
      if (!again) return;
      again = false;
      next();
    }, pause);
  };
  return () => {
    if (waiting) again = true;
    else next();
  };
}
