export function System() {
  return (
    <main id="main" tabIndex={-1}>
      <div class="title">
        <h1>System</h1>
      </div>
    </main>
  );
}
