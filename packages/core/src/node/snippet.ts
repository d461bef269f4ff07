import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Pipelines of transformers.js by the architecture suffix in config.json. */
const pipelines: readonly (readonly [RegExp, string])[] = [
  [/ForSequenceClassification$/, 'text-classification'],
  [/ForTokenClassification$/, 'token-classification'],
  [/ForQuestionAnswering$/, 'question-answering'],
  [/ForMaskedLM$/, 'fill-mask'],
  [/ForImageClassification$/, 'image-classification'],
  [/ForAudioClassification$|ForSequenceClassification$/, 'audio-classification'],
  [/ForSpeechSeq2Seq$|WhisperForConditionalGeneration$/, 'automatic-speech-recognition'],
  [/ForCausalLM$|LMHeadModel$/, 'text-generation'],
  [/ForConditionalGeneration$/, 'text2text-generation'],
];

/** Code that loads the result. */
export function snippetOf(input: string, output: string, isFolder: boolean): string {
  const shown = relative(process.cwd(), output);
  const path = shown.startsWith('..') ? output : `./${shown}`;
  if (!isFolder) {
    return `import * as ort from 'onnxruntime-node';\nconst session = await ort.InferenceSession.create('${path}', { intraOpNumThreads: 1 });`;
  }
  const task = taskOf(input);
  return `import { pipeline } from '@huggingface/transformers';\nconst run = await pipeline('${task}', '${path}', { dtype: 'q8' });`;
}

function taskOf(folder: string): string {
  const file = join(folder, 'config.json');
  if (!existsSync(file)) return 'feature-extraction';
  const { architectures } = JSON.parse(readFileSync(file, 'utf8')) as { architectures?: readonly string[] };
  const architecture = architectures?.[0] ?? '';
  return pipelines.find(([pattern]) => pattern.test(architecture))?.[1] ?? 'feature-extraction';
}
