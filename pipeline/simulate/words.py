"""The raw words and sentence patterns of the simulator's grammar, as data; `lexicon` turns them into token tables.

In a pattern a bare word is written as it stands and a capital in braces is a slot: {N} noun, {V} verb, {A} adjective,
{P} proper name, {I} identifier in code, {#} number. Everything here was written for this program; nothing is quoted
from a corpus, so that a prompt of a simulated world is a prompt that nobody sent.
"""

from __future__ import annotations


def words(text: str, separator: str | None = None) -> list[str]:
    """The entries of a list written as one line of text."""
    return text.split(separator)


THEMES = {
    "kitchen": "recipe broth dough oven spice marinade whisk pantry",
    "garden": "seedling compost hedge orchard trellis mulch greenhouse pruning",
    "finance": "ledger bond dividend portfolio yield hedge loan coupon",
    "law": "clause tenant statute appeal contract witness verdict easement",
    "medicine": "dosage symptom lesion vaccine biopsy triage artery ward",
    "travel": "itinerary visa ferry hostel luggage layover passport harbour",
    "sky": "orbit comet nebula telescope eclipse parallax quasar meteor",
    "chemistry": "solvent catalyst isotope polymer titration enzyme ligand residue",
    "network": "router packet socket handshake proxy gateway latency subnet",
    "data": "index schema join replica shard cursor snapshot partition",
    "history": "treaty dynasty archive siege charter colony manuscript guild",
    "music": "chord tempo melody rhythm overture cadence tuning chorus",
    "sport": "referee league sprint goalkeeper relay stadium serve training",
    "fashion": "fabric hem collar lining pleat pattern textile silhouette",
    "school": "syllabus lecture rubric seminar pupil homework semester thesis",
    "freight": "pallet warehouse courier manifest container dock carrier route",
    "energy": "turbine grid inverter battery boiler insulation voltage meter",
    "building": "beam girder scaffold mortar foundation drainage plaster joist",
    "insurance": "premium claim deductible policy actuary adjuster hazard rider",
    "biology": "genome membrane neuron larva habitat predator cell pollen",
    "mathematics": "lemma integer matrix polynomial graph theorem limit modulus",
    "statistics": "sample variance estimator median outlier regression prior residual",
    "writing": "chapter narrator stanza dialogue metaphor draft plot editor",
    "market": "campaign brand audience coupon survey funnel segment slogan",
}
NOUN_PREFIXES = words(
    "sub micro inter pre multi bio geo tele hydro electro photo thermo auto mono poly meta counter over under cross hyper nano infra proto semi ultra para retro neuro socio"
)
GENERAL_NOUNS = words(
    "report process result method example problem system value level change order group plan source record model step case list answer question table figure budget "
    "request version limit error detail summary reason team office customer supplier project review schedule risk cost quality response design test feature service "
    "account message note page paragraph section week month region product input output state event signal path target resource"
)
VERBS = words(
    "describe compare improve measure check arrange build change collect compute connect control convert copy create cut deliver design detect divide draw estimate explain "
    "extend filter finish fix follow gather group handle improve include inspect join keep lead limit link list load lower mark match merge move name note open order pack "
    "plan plot predict prepare print protect prove raise rank record reduce refine remove repair replace report reset resolve review rotate sample save scale schedule select "
    "send separate share shift sort split start stop store study supply support test trace train transfer update verify weigh"
)
VERB_PREFIXES = words("re pre de over co out mis under")
ADJECTIVES = words(
    "small large recent common rare simple complex local global early late narrow broad steady sudden public private formal plain careful quick slow cheap costly warm cold "
    "dry wet bright dark clean rough smooth deep shallow strict loose open closed partial complete useful doubtful stable fragile heavy light modern older regular "
    "uneven hidden visible"
)
ADJECTIVE_PREFIXES = words("un semi quasi ultra non hyper")
NAMES = words(
    "Amara Bengt Carla Dmitri Elena Farid Greta Hiro Ines Jonas Kavya Liam Mei Noor Oskar Petra Quentin Rosa Samir Tova Umar Vera Wanda Xavi Yusuf Zofia Alder Birch "
    "Cressfield Dunmore Eastbay Fernhill Glenrock Harrow Ivydale Juniper Kestrel Larkspur Moorland Northgate Oakhurst Pinewood Quarry Ridgeway Stonebridge Thornbury"
)
IDENTIFIER_HEADS = words(
    "get set load parse build make read write find count merge split check update fetch send sort map reduce init open close push pop encode decode render apply scan trim"
)
IDENTIFIER_TAILS = words(
    "item row node user total path name index value buffer list token cache field page chunk batch order queue state image record config offset result handler client report"
)

OPENINGS = {
    "reason": (
        "Prove that the {N} of a {A} {N} is at most {#} .",
        "How many {N} remain when {P} takes {#} of {#} and {V}s the rest ?",
        "Derive the {A} {N} if the {N} doubles every {#} days .",
        "Which of these statements about the {N} follows from the {N} , and why ?",
        "A {N} holds {#} {N} and loses {#} each hour ; when is it empty ?",
        "Find the smallest {N} for which the {A} {N} exceeds {#} .",
        "If {P} can {V} a {N} in {#} hours and {P} in {#} , how long do they need together ?",
        "Show step by step why the {N} of the {N} cannot be {A} .",
    ),
    "code": (
        "Write a function that {V}s each {N} in a list of {N} and returns the {A} ones .",
        "Refactor this so that the {N} is not computed {#} times .",
        "Why does {I} raise an error for a {A} {N} ?",
        "Add unit tests for {I} with a {A} {N} .",
        "Port {I} to another language and keep the {N} order .",
        "The build fails after the {N} change ; find the bug in {I} .",
        "Implement a {A} {N} with insert and remove in logarithmic time .",
        "Make {I} safe for {#} threads .",
    ),
    "plan": (
        "Plan how an agent should {V} the {N} with the tools below and {V} the {N} .",
        "Draw up a {#} week schedule to {V} the {A} {N} .",
        "List the steps and checks to {V} a {N} without losing the {N} .",
        "Given this tool output , decide the next action to {V} the {N} .",
        "Break the goal to {V} the {N} into {#} tasks with an owner each .",
        "Which tool should be called first to {V} the {A} {N} ?",
    ),
    "grade": (
        "Score the two answers about the {N} from 1 to {#} and say which is better .",
        "Grade this essay on the {N} against the rubric .",
        "Is the reply about the {A} {N} correct and complete ?",
        "Rate how well the summary covers the {N} .",
        "Compare both solutions to the {N} task and pick one .",
    ),
    "rewrite": (
        "Rewrite the passage on the {N} in a {A} tone .",
        "Shorten this note about the {N} to {#} words .",
        "Correct the grammar of the {N} letter .",
        "Turn these points on the {A} {N} into a paragraph .",
        "Translate the {N} notice and keep the {N} names .",
        "Make this {N} mail to {P} more polite .",
    ),
    "extract": (
        "List every {N} , date and amount in the text as JSON .",
        "Classify the ticket about the {N} into one of {#} labels .",
        "Pull the {N} and the {N} out of the record below .",
        "Summarise the {N} report for {P} in {#} bullet points .",
        "Tag each line with the {N} it belongs to .",
        "Which {N} does this {A} {N} mention ?",
    ),
    "explain": (
        "What is the difference between a {N} and a {A} {N} ?",
        "Explain how a {N} works to a pupil of {#} years .",
        "Why do {N} {V} the {N} in a {A} region ?",
        "Give me an overview of the {N} in {P} .",
        "What should I know about a {A} {N} before I {V} one ?",
        "Can you explain the {N} of {P} with an example ?",
        "How does the {N} change when the {N} is {A} ?",
    ),
    "advise": (
        "I want to {V} my {N} , where do I start ?",
        "Suggest {#} ideas for a {A} {N} in {P} .",
        "Should I {V} the {N} or buy a {A} one ?",
        "Help me choose a {N} for less than {#} a month .",
        "My {N} is {A} since Monday , what can I do ?",
        "Write a short message to {P} about the {N} .",
        "What would you cook with a {N} and {#} {N} ?",
        "Give me a name for a {A} {N} shop .",
    ),
    "talk": (
        "hi",
        "good morning , how are you today ?",
        "thanks , that helps",
        "hello , can I ask something about my {N} ?",
        "tell me something nice about {P}",
        "ok great",
        "what do you think about the {N} ?",
        "I had a {A} day with the {N}",
        "are you there ?",
        "thank you so much {P} says hi",
    ),
    "follow": (
        "and what about the {N} ?",
        "can you make it shorter ?",
        "why ?",
        "please add the {N} too",
        "that is not what I meant , I need the {A} {N}",
        "try again with {#} instead",
        "ok , now the {N} please",
        "and if the {N} is {A} ?",
        "could you give an example with a {N} ?",
        "continue",
        "no , {P} said the {N} is {A}",
        "what does {N} mean here ?",
        "yes please",
        "is that still true for a {A} {N} ?",
    ),
}
BODIES = {
    "en": (
        "The {A} {N} of the {N} was {A} and {P} had to {V} it .",
        "In {P} a {N} can {V} the {N} within {#} days .",
        "Most {N} are {A} , but the {N} in {P} is not .",
        "{P} says that the {N} {V}s every {A} {N} .",
        "There were {#} {N} and only {#} of them were {A} .",
        "When the {N} is {A} , the {N} will {V} the {N} .",
        "We {V} the {N} first and then {V} the {A} {N} .",
        "It took {#} weeks to {V} the {N} near {P} .",
        "Nobody could {V} the {A} {N} without a {N} .",
        "The {N} between {P} and {P} has {#} {N} .",
        "A {A} {N} and a {A} {N} cost {#} together .",
        "After that the {N} was moved to {P} because of a {A} {N} .",
        "I would like to {V} the {N} as well .",
        "Our {N} does not {V} {A} {N} .",
        "Each {N} has a {N} , a {N} and a {A} {N} .",
        "This is why the {N} of {P} stays {A} .",
    ),
    "es": (
        "El {N} {A} de la {N} no llega a {P} .",
        "Cuando la {N} es {A} , hay que {V} el {N} .",
        "En {P} hay {#} {N} y una {N} {A} .",
        "Quiero {V} el {N} antes de {V} la {N} .",
        "La {N} de {P} tiene {#} {N} .",
        "No se puede {V} un {N} {A} sin {N} .",
        "Por eso la {N} sigue {A} .",
    ),
    "de": (
        "Die {A}e {N} in {P} muss man {V} .",
        "Wenn der {N} {A} ist , wird die {N} geprüft .",
        "Es gibt {#} {N} und nur {#} davon sind {A} .",
        "Wir wollen den {N} {V} und danach die {N} {V} .",
        "Ohne {N} kann {P} die {N} nicht {V} .",
        "Der {N} von {P} bleibt {A} .",
        "Seit {#} Tagen ist die {N} {A} .",
    ),
    "fr": (
        "La {N} {A} du {N} arrive à {P} .",
        "Quand le {N} est {A} , il faut {V} la {N} .",
        "Il y a {#} {N} et un {N} {A} à {P} .",
        "Je voudrais {V} la {N} avant de {V} le {N} .",
        "Sans {N} on ne peut pas {V} le {N} {A} .",
        "Le {N} de {P} reste {A} .",
        "Depuis {#} jours la {N} est {A} .",
    ),
    "zh": (
        "我们 需要 {V} {A} 的 {N} 。",
        "如果 {N} 很 {A} \uff0c 就 要 {V} {N} 。",
        "{P} 有 {#} 个 {N} \uff0c 其中 {#} 个 很 {A} 。",
        "请 {V} 这个 {N} 和 {N} 。",
        "没有 {N} 就 不能 {V} {A} 的 {N} 。",
        "{N} 的 {N} 是 {A} 的 。",
    ),
    "code": (
        "\n def {I} ( {I} , {I} ) :",
        "\n     {I} = {I} ( {I} , {#} )",
        "\n     if {I} > {#} :",
        "\n         return {I} [ {#} ]",
        "\n     for {I} in {I} ( {I} ) :",
        "\n         {I} . {I} ( {I} )",
        "\n     # {V} the {A} {N}",
        "\n     while {I} != {I} :",
        "\n         {I} += {#}",
        "\n     return {I} , {I}",
        "\n class {I} :",
        "\n     raise ValueError ( {I} )",
        "\n         {I} = [ {I} for {I} in {I} ]",
    ),
    "table": ("\n | {P} | {N} | {#} | {#} |", "\n | {P} | {A} {N} | {#} | {#} |", "\n | {N} | {A} | {#} | {P} |"),
}
FOREIGN = {
    "es": {
        "N": words("casa camino libro fuente mercado carta puente jardín viaje plaza barco reloj mesa cocina escuela ciudad cuenta puerto campo pueblo semilla obra lista receta"),
        "V": words("medir buscar abrir cambiar pagar llevar probar revisar vender ordenar contar limpiar enviar leer"),
        "A": words("nuevo viejo claro oscuro fuerte lento grande breve común frágil estable raro"),
        "suffixes": ["", "s", "cito", "ería", "ista"],
    },
    "de": {
        "N": words("Haus Weg Buch Quelle Markt Brief Brücke Garten Reise Platz Schiff Uhr Tisch Küche Schule Stadt Konto Hafen Feld Dorf Samen Werk Liste Wetter"),
        "V": words("messen suchen öffnen ändern bezahlen tragen prüfen verkaufen ordnen zählen reinigen senden lesen bauen"),
        "A": words("neu alt klar dunkel stark langsam groß kurz häufig schwach stabil selten"),
        "suffixes": ["", "plan", "stelle", "frage", "wesen", "bau", "zeit", "amt"],
    },
    "fr": {
        "N": words(
            "maison chemin livre source marché lettre pont jardin voyage place bateau montre table cuisine école ville compte port champ village graine œuvre liste recette"
        ),
        "V": words("mesurer chercher ouvrir changer payer porter essayer vérifier vendre ranger compter nettoyer envoyer lire"),
        "A": words("neuf ancien clair sombre fort lent grand bref commun fragile stable rare"),
        "suffixes": ["", "s", "tte", "rie", "iste"],
    },
    "zh": {
        "N": words("水 火 山 路 书 店 城 门 车 船 花 树 田 市 报 表 线 机 电 网 器 库 图 法"),
        "V": words("测量 寻找 打开 改变 支付 携带 检查 出售 整理 计算 清洗 发送 阅读 建造"),
        "A": words("新 旧 清楚 暗 强 慢 大 短 常见 弱 稳定 少见"),
        "suffixes": ["", "站", "员", "学", "部", "所", "品", "力", "场", "面"],
    },
}
