export function Queue() {
  return (
    <main id="main" tabIndex={-1}>
      <div class="title">
        <h1>Queue</h1>
      </div>
    </main>
  );
}
