export function Batches() {
  return (
    <main id="main" tabIndex={-1}>
      <div class="title">
        <h1>Batches</h1>
      </div>
    </main>
  );
}
