import { lend, type Ref } from 'spimpl-runtime'
import type { OverlayInput, StoreQuestion } from '../src/portal/portal.ts'
import { Pending } from './core-driver.ts'
import type { OverlayMessage } from './overlay-messages.ts'
import type { StorageAnswer, StorageMessage } from './storage.ts'
import type { ValidationRequest, Verdict } from './validation.ts'

/** portal-wire-protocol.md, Accept. */
const ACCEPT = 0
const ALREADY_STORED = 2

type Settle = (answer: StorageAnswer | Verdict) => void

export interface StoreQuestions {
  ask(question: StoreQuestion): void
  answered(answer: StorageAnswer | Verdict): void
}

/** Carries what the overlay wants to know of storage and validation, and gives it their answers as inputs. */
export function storeQuestions(parts: {
  readonly storage: Ref<StorageMessage>
  readonly validation: Ref<ValidationRequest>
  readonly client: Ref<OverlayMessage>
  readonly settle: (input: OverlayInput) => void
}): StoreQuestions {
  const { storage, validation, client, settle } = parts
  const waiting = new Pending<Settle>()

  const read = ({ ref, contentId }: Question<'want-content'>): void => {
    const settled: Settle = answer => {
      if (answer.type === 'content-read') settle({ type: 'content-read', ref, content: answer.content })
    }
    storage.tell({ type: 'read', ref: waiting.add(settled), contentId, client })
  }

  const judge = ({ ref, items }: Question<'judge-offer'>): void => {
    const settled: Settle = answer => {
      if (answer.type !== 'presence') return
      const codes = answer.present.map(present => (present ? ALREADY_STORED : ACCEPT))
      settle({ type: 'offer-judged', ref, codes })
    }
    const contentIds = items.map(item => item.contentId)
    storage.tell({ type: 'holds', ref: waiting.add(settled), contentIds, client })
  }

  /** Valid content is stored before whoever asked for it has it (jsonrpc, portal_historyGetContent). */
  const validate = ({ ref, key, contentId, content }: Question<'validate'>): void => {
    const settled: Settle = answer => {
      if (answer.type !== 'verdict') return
      if (!answer.result.ok) return settle({ type: 'validated', ref, valid: false, code: answer.result.code })
      // A store that does not want or cannot write it makes it no less valid.
      const kept: Settle = () => settle({ type: 'validated', ref, valid: true })
      storage.tell({ type: 'keep', ref: waiting.add(kept), contentId, key, value: lend(content), client })
    }
    validation.tell({ type: 'validate', ref: waiting.add(settled), key, bytes: lend(content), client })
  }

  return {
    ask(question) {
      switch (question.type) {
        case 'want-content':
          return read(question)
        case 'judge-offer':
          return judge(question)
        case 'validate':
          return validate(question)
      }
    },
    answered: answer => waiting.take(answer.ref)?.(answer),
  }
}

type Question<Type extends StoreQuestion['type']> = Extract<StoreQuestion, { readonly type: Type }>
