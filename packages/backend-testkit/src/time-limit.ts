import { BackendCaseError } from './backend-case.ts';

/** @throws BackendCaseError when it does not end in time; what it goes on with is then nobody's concern */
export async function withTimeLimit(name: string, run: () => Promise<void>, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new BackendCaseError(`${name} did not end within ${limitMs / 1000} s.`)), limitMs);
  });
  try {
    await Promise.race([run(), late]);
  } finally {
    clearTimeout(timer);
  }
}
