export function Train() {
  return (
    <main id="main" tabIndex={-1}>
      <div class="title">
        <h1>Train</h1>
      </div>
    </main>
  );
}
