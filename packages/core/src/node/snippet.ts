import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Recipe } from '../backend/index.ts';
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

/** How the recipe says that its models are best run. */
export type RunSettings = Pick<Recipe, 'session' | 'serving'>;

/** Code that loads the result, with the session settings of the recipe. */
export function snippetOf(input: string, output: string, isFolder: boolean, settings: RunSettings): string {
  const path = quoted(shownPath(output));
  const { instances } = settings.serving ?? {};
  const processes = instances === 'per-core' ? ['// In as many processes as the machine has cores.'] : [];
  const imports = settings.serving?.threads === 'all' ? ["import { availableParallelism } from 'node:os';"] : [];
  const options = optionsOf(settings);
  const [library, load] = isFolder
    ? [
        "import { pipeline } from '@huggingface/transformers';",
        `const run = await pipeline('${taskOf(input)}', ${path}, ${withSession(options)});`,
      ]
    : [
        "import * as ort from 'onnxruntime-node';",
        `const session = await ort.InferenceSession.create(${path}, ${options ?? '{ intraOpNumThreads: 1 }'});`,
      ];
  return [...imports, library, ...processes, load].join('\n');
}

const withSession = (options: string | undefined): string =>
  options ? `{ dtype: 'q8', session_options: ${options} }` : "{ dtype: 'q8' }";

/**
 * The options of a session, as onnxruntime-node and the pipelines of transformers.js take them: `undefined` where the
 * recipe asks for nothing. They cannot be stored in the model: of its metadata (`ort_config`) the runtime reads threads and
 * the optimization level only, and then no option of the caller (tried with onnxruntime-node 1.30).
 */
function optionsOf({ session, serving }: RunSettings): string | undefined {
  const spinning = serving?.spinning === false ? { 'session.intra_op.allow_spinning': '0' } : {};
  const entries = Object.entries({ ...session, ...spinning }).map(([key, value]) => `${quoted(key)}: ${quoted(value)}`);
  if (entries.length === 0 && !serving) return undefined;
  const threads = serving?.threads === 'all' ? 'availableParallelism()' : (serving?.threads ?? 1);
  const extra = entries.length > 0 ? `, extra: { ${entries.join(', ')} }` : '';
  return `{ intraOpNumThreads: ${threads}${extra} }`;
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
