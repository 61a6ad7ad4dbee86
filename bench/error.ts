/** What keeps the bench from going on and is not a bug of ours: wrong options, a tool that is missing. Shown as one line. */
export class BenchError extends Error {}
