import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { shownPath } from './quantize-guard.ts';

/** Pipelines of transformers.js by the architecture suffix in config.json. */
const pipelines: readonly (readonly [RegExp, string])[] = [
  [/ForSequenceClassification$/, 'text-classification'],
  [/ForTokenClassification$/, 'token-classification'],
  [/ForQuestionAnswering$/, 'question-answering'],
  [/ForMaskedLM$/, 'fill-mask'],
  [/ForImageClassification$/, 'image-classification'],
  [/ForObjectDetection$/, 'object-detection'],
  [/ForAudioClassification$/, 'audio-classification'],
  [/ForCTC$|ForSpeechSeq2Seq$|WhisperForConditionalGeneration$/, 'automatic-speech-recognition'],
  [/ForCausalLM$|LMHeadModel$/, 'text-generation'],
  [/ForConditionalGeneration$/, 'text2text-generation'],
];

/** Code that loads the result. */
export function snippetOf(input: string, output: string, isFolder: boolean): string {
  const path = quoted(shownPath(output));
  if (!isFolder) {
    return `import * as ort from 'onnxruntime-node';\nconst session = await ort.InferenceSession.create(${path}, { intraOpNumThreads: 1 });`;
  }
  return `import { pipeline } from '@huggingface/transformers';\nconst run = await pipeline('${taskOf(input)}', ${path}, { dtype: 'q8' });`;
}

/** As a string of JavaScript: a path may hold quotes and backslashes. */
const quoted = (text: string): string => `'${text.replace(/['\\]/g, '\\$&').replace(/\n/g, '\\n')}'`;

function taskOf(folder: string): string {
  const architecture = architectureOf(join(folder, 'config.json'));
  return pipelines.find(([pattern]) => pattern.test(architecture))?.[1] ?? 'feature-extraction';
}

/** The result is published when this runs: a configuration that says nothing useful must not spoil it. */
function architectureOf(file: string): string {
  try {
    const { architectures } = JSON.parse(existsSync(file) ? readFileSync(file, 'utf8') : '{}') as {
      architectures?: unknown;
    };
    const [first] = Array.isArray(architectures) ? (architectures as readonly unknown[]) : [];
    return typeof first === 'string' ? first : '';
  } catch {
    return '';
  }
}
