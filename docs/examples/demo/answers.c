/* SPDX-License-Identifier: MIT */
/* answers.c - the demo's answers in twelve languages, and how one of them is chosen. */
#include "answers.h"

#include <stdint.h>
#include <string.h>

/*
 * A token is a word with the white space before it. CUT ends a token where there is no space; it is
 * never sent. An emoji of several code points stands in one token: nobody ever sees half of it.
 */
#define CUT '|'

typedef struct language {
    const char *lang;
    const char *words; /* common words, each between spaces; NULL where the script decides */
    const char *text;
} language;

enum { EN, DE, FR, ES, PT, IT, ZH, JA, KO, RU, AR, HI, LANGUAGES };

/* clang-format off */
static const language languages[LANGUAGES] = {
    [EN] = {"en",
        " the is are was and of as do does can what how why who where which you your hello hi hey"
        " please this that thanks thank with about tell explain come in on to ",
        "Thank you for asking! 👋 Every word you see here is one Server-Sent Event: the server"
        " sends it as soon as it is ready, all in a single HTTP response that stays open.\n\n"
        "In the room 💬 people talk over WebSocket, where both sides may speak at any time."
        " Both protocols come from one small C library that never allocates memory and does no"
        " input or output of its own.\n\n"
        "Emoji arrive whole as well: a programmer 👩‍💻, a flag 🇺🇳, a family"
        " 👨‍👩‍👧. Try the Stop button, or break the connection and watch the answer"
        " go on where it broke off. 🌊"},
    [DE] = {"de",
        " der die das und ist sind ich nicht ein eine wie was warum wer wo hallo guten tag du sie"
        " mir dir geht es bitte danke kannst können für über mit zu im auf erkläre ",
        "Danke für Ihre Frage! 👋 Jedes Wort, das Sie hier lesen, ist ein eigenes Server-Sent"
        " Event: Der Server schickt es ab, sobald es bereit ist, alles in einer einzigen"
        " HTTP-Antwort, die offen bleibt.\n\n"
        "Im Raum 💬 unterhält man sich über WebSocket; dort können beide Seiten jederzeit"
        " sprechen. Beide Protokolle kommen aus einer kleinen C-Bibliothek, die niemals Speicher"
        " anfordert und selbst nichts liest oder schreibt.\n\n"
        "Auch Emojis kommen ganz an: eine Programmiererin 👩‍💻, eine Flagge 🇺🇳, eine"
        " Familie 👨‍👩‍👧. Drücken Sie auf „Stop“, oder trennen Sie die"
        " Verbindung und sehen Sie zu, wie die Antwort dort weitergeht, wo sie abgebrochen ist."
        " 🌊"},
    [FR] = {"fr",
        " le la les de des du et est une un je vous tu bonjour bonsoir salut merci comment"
        " pourquoi quoi que qui qu dans pour avec ce non quel quelle sur moi où à en expliquez"
        " explique ",
        "Merci de votre question\u00a0! 👋 Chaque mot que vous lisez ici est un événement"
        " envoyé par le serveur (Server-Sent Event)\u00a0: il part dès qu’il est prêt, et"
        " tout tient dans une seule réponse HTTP qui reste ouverte.\n\n"
        "Dans le salon 💬, on se parle par WebSocket\u00a0: chacun peut y prendre la parole à"
        " tout moment. Les deux protocoles viennent d’une même petite bibliothèque C qui"
        " n’alloue jamais de mémoire et ne fait elle-même ni entrée ni sortie.\n\n"
        "Les émojis arrivent entiers, eux aussi\u00a0: une développeuse 👩‍💻, un drapeau"
        " 🇺🇳, une famille 👨‍👩‍👧. Essayez le bouton «\u00a0Stop\u00a0», ou"
        " coupez la connexion et regardez la réponse reprendre là où elle s’était"
        " arrêtée. 🌊"},
    [ES] = {"es",
        " el la los las de del y es un una que qué como cómo por para con hola gracias buenos"
        " buenas días está estás estoy esto cuál quién dónde en me mi tu usted explica no ",
        "¡Gracias por su pregunta! 👋 Cada palabra que lee aquí es un evento enviado por el"
        " servidor (Server-Sent Event): sale en cuanto está lista, y todo cabe en una sola"
        " respuesta HTTP que permanece abierta.\n\n"
        "En la sala 💬 se conversa por WebSocket, donde ambas partes pueden hablar en cualquier"
        " momento. Los dos protocolos vienen de una misma biblioteca pequeña en C que nunca"
        " reserva memoria y que no hace por sí misma ninguna entrada ni salida.\n\n"
        "Los emojis también llegan enteros: una programadora 👩‍💻, una bandera 🇺🇳,"
        " una familia 👨‍👩‍👧. Pruebe el botón «Stop», o corte la conexión y vea"
        " cómo la respuesta continúa donde se había quedado. 🌊"},
    [PT] = {"pt",
        " o os as um uma de do da e é que não com para por você olá oi obrigado obrigada bom"
        " boa dia como está qual quem onde em no na isso me explique ",
        "Obrigado pela pergunta! 👋 Cada palavra que você lê aqui é um evento enviado pelo"
        " servidor (Server-Sent Event): ela sai assim que fica pronta, e tudo cabe em uma única"
        " resposta HTTP que permanece aberta.\n\n"
        "Na sala 💬 conversa-se por WebSocket, e os dois lados podem falar a qualquer momento."
        " Os dois protocolos vêm de uma mesma pequena biblioteca em C que nunca aloca memória e"
        " que não faz, ela própria, nenhuma entrada nem saída.\n\n"
        "Os emojis também chegam inteiros: uma programadora 👩‍💻, uma bandeira 🇺🇳,"
        " uma família 👨‍👩‍👧. Experimente o botão “Stop”, ou corte a conexão e"
        " veja a resposta continuar de onde parou. 🌊"},
    [IT] = {"it",
        " il lo la gli le di del della e è un una che non come perché per con ciao grazie"
        " buongiorno buonasera salve cosa chi dove sono mi questo in spiega ",
        "Grazie della domanda! 👋 Ogni parola che legge qui è un evento inviato dal server"
        " (Server-Sent Event): parte appena è pronta, e tutto sta in un’unica risposta HTTP"
        " che rimane aperta.\n\n"
        "Nella stanza 💬 si parla via WebSocket: lì entrambe le parti possono prendere la"
        " parola in qualsiasi momento. I due protocolli vengono da una stessa piccola libreria C"
        " che non alloca mai memoria e che da sola non legge e non scrive nulla.\n\n"
        "Anche le emoji arrivano intere: una programmatrice 👩‍💻, una bandiera 🇺🇳,"
        " una famiglia 👨‍👩‍👧. Provi il pulsante «Stop», oppure interrompa la"
        " connessione e guardi la risposta riprendere da dove si era fermata. 🌊"},
    [ZH] = {"zh", NULL,
        "感谢|您的|提问|！| 👋 您|在|这里|看到|的|每个|词|，|都是|一个|"
        "服务|器|发送|事件|（|Server|-Sent Event|）：|服务|器|一|准备|好|就|"
        "立即|发出|，|全部|内容|都在|同|一个|保持|打开|的 HTTP 响应|里|。|"
        "\n\n"
        "聊天|室|里 💬 使用 Web|Socket|，|双方|随时|都|可以|说话|。|两种|"
        "协议|都|来自|同|一个|小巧|的 C 语言|库|，|它|从不|分配|内存|，|"
        "自己|也|不做|任何|输入|输出|。|\n\n"
        "表情|符号|也会|完整|到达|：|程序|员 👩‍💻|、|旗帜 🇺🇳|、|"
        "一家|人 👨‍👩‍👧|。|请|试试 Stop 按钮|，|或者|断开|连接|，|"
        "看看|回答|如何|从|中断|处|继续|。|🌊"},
    [JA] = {"ja", NULL,
        "ご質問|ありが|とう|ござい|ます！| 👋 ここに|並ぶ|言葉|は|、|"
        "ひとつ|ひとつ|が Server|-Sent Events の|イベ|ント|です。|サー|"
        "バーは|準備が|でき|しだい|送り|出し|、|すべて|は|開いた|まま|"
        "の HTTP 応答|ひとつ|で|届き|ます。|\n\n"
        "ルーム|では 💬 Web|Socket で|会話し|、|双方|が|いつ|でも|発言|"
        "でき|ます。|どちら|の|プロト|コル|も|、|メモリ|を|一切|確保|"
        "せず|、|自ら|は|入出|力を|行わ|ない|、|小さな C ライブ|ラリ|"
        "から|生まれ|ます。|\n\n"
        "絵文|字も|崩れ|ずに|届き|ます。|プログ|ラマー 👩‍💻|、|旗"
        " 🇺🇳|、|家族 👨‍👩‍👧|。|Stop ボタン|を|押す|か|、|接続|"
        "を|切って|、|回答|が|続き|から|再開|する|様子|を|ご覧|ください|"
        "。|🌊"},
    [KO] = {"ko", NULL,
        "질문해 주셔서 감사합니다! 👋 지금 보시는 단어 하나하나가 각각"
        " 하나의 Server-Sent Event입니다. 서버는 준비되는 대로 단어를 바로"
        " 보내며, 이 모든 것이 열려 있는 HTTP 응답 하나에 담깁니다.\n\n"
        "대화방에서는 💬 WebSocket으로 이야기를 나눕니다. 그곳에서는"
        " 양쪽 모두 언제든지 말할 수 있습니다. 두 프로토콜 모두 작은 C"
        " 라이브러리 하나가 처리하는데, 이 라이브러리는 메모리를 전혀"
        " 할당하지 않으며 스스로 입출력도 하지 않습니다.\n\n"
        "이모지도 깨지지 않고 도착합니다. 프로그래머 👩‍💻, 깃발"
        " 🇺🇳, 가족 👨‍👩‍👧. Stop 버튼을 눌러 보시거나, 연결을"
        " 끊고 답변이 멈춘 곳에서 이어지는 모습을 지켜보세요. 🌊"},
    [RU] = {"ru", NULL,
        "Спасибо за вопрос! 👋 Каждое слово, которое вы"
        " здесь видите, — это отдельное событие Server-Sent"
        " Events: сервер отправляет его, как только оно"
        " готово, и всё умещается в одном HTTP-ответе,"
        " который остаётся открытым.\n\n"
        "В комнате 💬 разговаривают по протоколу WebSocket:"
        " там обе стороны могут говорить в любой момент."
        " Оба протокола обслуживает одна небольшая"
        " библиотека на C, которая никогда не выделяет"
        " память и сама ничего не читает и не пишет.\n\n"
        "Эмодзи тоже приходят целиком: программистка"
        " 👩‍💻, флаг 🇺🇳, семья 👨‍👩‍👧. Нажмите"
        " кнопку «Stop» или разорвите соединение и"
        " посмотрите, как ответ продолжится с того места,"
        " где он прервался. 🌊"},
    [AR] = {"ar", NULL,
        "شكرًا على سؤالك! 👋 كل كلمة تراها هنا حدثٌ مستقل"
        " من أحداث Server-Sent Events: يرسلها الخادم فور أن تجهز،"
        " وكل ذلك في استجابة HTTP واحدة تبقى مفتوحة.\n\n"
        "وفي الغرفة 💬 يجري الحديث عبر WebSocket، حيث يستطيع"
        " كلا الطرفين الكلام في أي وقت. والبروتوكولان"
        " معًا تقدّمهما مكتبة صغيرة واحدة بلغة C لا تحجز"
        " ذاكرة أبدًا، ولا تجري بنفسها أي إدخال أو"
        " إخراج.\n\n"
        "والرموز التعبيرية تصل كاملة أيضًا: مبرمجة 👩‍💻"
        " وعلم 🇺🇳 وعائلة 👨‍👩‍👧. جرّب زر الإيقاف، أو"
        " اقطع الاتصال وشاهد كيف يُستأنف الجواب من حيث"
        " توقف. 🌊"},
    [HI] = {"hi", NULL,
        "आपके प्रश्न के लिए धन्यवाद! 👋"
        " यहाँ दिखने वाला हर शब्द एक अलग"
        " Server-Sent Event है: तैयार होते ही सर्वर उसे"
        " भेज देता है, और यह सब एक ही HTTP उत्तर"
        " में होता है जो खुला रहता है।\n\n"
        "कमरे में 💬 लोग WebSocket से बात करते हैं,"
        " जहाँ दोनों पक्ष किसी भी समय बोल"
        " सकते हैं। दोनों प्रोटोकॉल एक ही"
        " छोटी C लाइब्रेरी से चलते हैं, जो"
        " कभी मेमोरी आवंटित नहीं करती और"
        " स्वयं कोई इनपुट या आउटपुट नहीं"
        " करती।\n\n"
        "इमोजी भी पूरे पहुँचते हैं:"
        " प्रोग्रामर 👩‍💻, झंडा 🇺🇳, परिवार"
        " 👨‍👩‍👧। रोकने का बटन आज़माइए, या"
        " कनेक्शन तोड़कर देखिए कि उत्तर"
        " वहीं से आगे बढ़ता है जहाँ वह रुका"
        " था। 🌊"},
};
/* clang-format on */

enum { OTHER, LATIN, HAN, KANA, HANGUL, CYRILLIC, ARABIC, DEVANAGARI, SCRIPTS };

/* Letters, in the order of their code points. */
static const struct {
    uint32_t first, last;
    int script;
} ranges[] = {
    {0x41, 0x5A, LATIN},      {0x61, 0x7A, LATIN},      {0xC0, 0x24F, LATIN},       {0x400, 0x52F, CYRILLIC},
    {0x620, 0x6FF, ARABIC},   {0x750, 0x77F, ARABIC},   {0x900, 0x97F, DEVANAGARI}, {0x1100, 0x11FF, HANGUL},
    {0x1E00, 0x1EFF, LATIN},  {0x3041, 0x30FF, KANA},   {0x3131, 0x318E, HANGUL},   {0x31F0, 0x31FF, KANA},
    {0x3400, 0x4DBF, HAN},    {0x4E00, 0x9FFF, HAN},    {0xAC00, 0xD7A3, HANGUL},   {0xF900, 0xFAFF, HAN},
    {0xFB50, 0xFDFF, ARABIC}, {0xFE70, 0xFEFC, ARABIC}, {0xFF66, 0xFF9F, KANA},     {0x20000, 0x323AF, HAN},
};

/* What one letter says. A question in Chinese may well name "Server-Sent Events", and one character
 * of Chinese stands for several letters; yet one foreign word does not make an English question
 * foreign. */
static const struct {
    unsigned weight;
    int language;
} scripts[SCRIPTS] = {
    [OTHER] = {0, EN},  [LATIN] = {1, EN},    [HAN] = {8, ZH},    [KANA] = {8, JA},
    [HANGUL] = {6, KO}, [CYRILLIC] = {3, RU}, [ARABIC] = {3, AR}, [DEVANAGARI] = {3, HI},
};

/* Takes one code point off the front; a byte that starts none counts as 0. */
static uint32_t take_code_point(const unsigned char **p, const unsigned char *end)
{
    static const unsigned char lead_mask[5] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    unsigned char lead = *(*p)++;
    unsigned len = lead < 0x80   ? 1
                   : lead < 0xC2 ? 0
                   : lead < 0xE0 ? 2
                   : lead < 0xF0 ? 3
                   : lead < 0xF5 ? 4
                                 : 0;
    uint32_t cp = lead & lead_mask[len];
    for (unsigned i = 1; i < len; i++, (*p)++) {
        if (*p == end || (**p & 0xC0) != 0x80)
            return 0;
        cp = cp << 6 | (**p & 0x3Fu);
    }
    return cp;
}

static int script_of(uint32_t cp)
{
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        if (cp <= ranges[i].last)
            return cp >= ranges[i].first ? ranges[i].script : OTHER;
    }
    return OTHER;
}

/* The script that says most, or OTHER if there is no letter. */
static int main_script(const unsigned char *p, const unsigned char *end)
{
    size_t said[SCRIPTS] = {0};
    while (p != end) {
        int script = script_of(take_code_point(&p, end));
        said[script] += scripts[script].weight;
    }
    if (said[KANA] > 0) /* Japanese is written in both, Chinese never in kana */
        said[KANA] += said[HAN];
    int best = LATIN;
    for (int script = LATIN; script < SCRIPTS; script++) {
        if (said[script] >= said[best])
            best = said[script] > 0 ? script : best;
    }
    return said[best] > 0 ? best : OTHER;
}

static unsigned char ascii_lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : c;
}

/* Takes the letters at the front into key, as " word " in lower case. Returns how many bytes they
 * were: 0 if there is no letter. A word too long to be a common one leaves key incomplete. */
static size_t take_word(const unsigned char **p, const unsigned char *end, char *key, size_t cap)
{
    size_t len = 0;
    size_t word = 0;
    key[len++] = ' ';
    for (const unsigned char *next = *p; *p != end; *p = next) {
        if (script_of(take_code_point(&next, end)) != LATIN)
            break;
        for (const unsigned char *c = *p; c != next; c++, word++) {
            bool capital = c != *p && c[-1] == 0xC3 && *c <= 0x9E; /* as in "É", U+00C9 */
            if (len < cap - 2)
                key[len++] = (char)(capital ? *c | 0x20 : ascii_lower(*c));
        }
    }
    key[len++] = ' ';
    key[len] = '\0';
    return word;
}

/* The language whose common words the prompt has most of; -1 if none, or two equally. */
static int language_by_words(const unsigned char *p, const unsigned char *end)
{
    unsigned hits[LANGUAGES] = {0};
    while (p != end) {
        char key[20];
        size_t word = take_word(&p, end, key, sizeof key);
        if (word == 0) {
            p++;
            continue;
        }
        for (int i = 0; word + 2 < sizeof key && i < LANGUAGES; i++)
            hits[i] += languages[i].words != NULL && strstr(languages[i].words, key) != NULL;
    }
    int best = 0;
    bool tie = false;
    for (int i = 1; i < LANGUAGES; i++) {
        tie = hits[i] > hits[best] ? false : tie || hits[i] == hits[best];
        best = hits[i] > hits[best] ? i : best;
    }
    return hits[best] > 0 && !tie ? best : -1;
}

/* "0.85" as 850. Anything else says nothing about preference: 1000. */
static unsigned quality(const char *p)
{
    if (*p != '0')
        return 1000;
    unsigned q = 0;
    unsigned scale = 100;
    for (p += p[1] == '.' ? 2 : 1; *p >= '0' && *p <= '9' && scale > 0; p++, scale /= 10)
        q += (unsigned)(*p - '0') * scale;
    return q;
}

/* The language that Accept-Language (RFC 9110 12.5.4) prefers among ours; -1 if none. */
static int language_by_field(const char *p)
{
    int best = -1;
    unsigned best_q = 0;
    while (*p != '\0') {
        p += strspn(p, ", \t");
        const char *tag = p;
        p += strcspn(p, ",; \t");
        size_t tag_len = (size_t)(p - tag);
        p += strspn(p, " \t");
        unsigned q = 1000;
        if (*p == ';') {
            p += 1 + strspn(p + 1, " \t");
            if ((*p == 'q' || *p == 'Q') && p[1] == '=')
                q = quality(p + 2);
        }
        p += strcspn(p, ",");
        bool primary = tag_len == 2 || (tag_len > 2 && tag[2] == '-');
        for (int i = 0; primary && q > best_q && i < LANGUAGES; i++) {
            const char *lang = languages[i].lang;
            if (ascii_lower((unsigned char)tag[0]) == (unsigned char)lang[0] &&
                ascii_lower((unsigned char)tag[1]) == (unsigned char)lang[1]) {
                best = i;
                best_q = q;
            }
        }
    }
    return best;
}

void demo_answer_init(demo_answer *a, const char *prompt, size_t len, const char *accept_language)
{
    const unsigned char *p = (const unsigned char *)prompt;
    int choice = -1;
    if (len > 0) {
        int script = main_script(p, p + len);
        if (script > LATIN)
            choice = scripts[script].language;
        else if (script == LATIN)
            choice = language_by_words(p, p + len);
    }
    if (choice < 0 && accept_language != NULL)
        choice = language_by_field(accept_language);
    const language *chosen = &languages[choice < 0 ? EN : choice];
    a->text = chosen->text;
    a->lang = chosen->lang;
}

bool demo_answer_token(const demo_answer *a, unsigned index, const char **token, size_t *len)
{
    static const char ends[] = {' ', '\n', CUT, '\0'};
    const char *p = a->text;
    for (;; index--) {
        p += *p == CUT;
        if (*p == '\0')
            return false;
        size_t space = strspn(p, " \n");
        size_t size = space + strcspn(p + space, ends);
        if (index == 0) {
            *token = p;
            *len = size;
            return true;
        }
        p += size;
    }
}
