/** Yield the lines of a streamed answer as they arrive; empty lines are left out. */
export async function* lines(
  stream: ReadableStream<Uint8Array>
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    rest += decoder.decode(value, { stream: !done });
    const found = rest.split('\n');
    rest = done ? '' : (found.pop() ?? '');
    yield* found.filter(line => line.trim());
    if (done) {
      return;
    }
  }
}
