"""How people are named in eight countries, and what their passports look like.

Names are put together by chance from parts that are common in each culture, so a likeness to anybody is chance too.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple
from unicodedata import combining, normalize

from pypinyin import lazy_pinyin


class Word(NamedTuple):
    """A word in its own script, and as the passports of its country spell it."""

    native: str
    latin: str


class Name(NamedTuple):
    """A whole name: as it is written at home, and the two parts that a passport tells apart."""

    native: str
    surname: str
    given_names: str
    family: Word | None  # what children bear too


@dataclass(frozen=True, slots=True)
class Culture:
    """How the people of one nationality are named, and what their passports look like."""

    name: Callable[[random.Random, str, Word | None], Name]
    regions: tuple[Word, ...]
    numbers: tuple[str, ...]  # in a passport number, # is a digit and @ a letter
    years: tuple[int, ...]  # how long a passport of an adult runs; that of a child runs five years
    adult_from: int  # in the eyes of the passport office
    ends_days_before: int  # issued on 2 May 2020, a passport may end on 2 May 2030 or the day before
    guardians: Mapping[str, bool]  # each relation, and whether it shares the family name


def _list(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _words(table: str) -> tuple[Word, ...]:
    return tuple(Word(*pair.replace("_", " ").split(":")) for pair in table.split())


# --- China: given names of one or two characters; ü is written YU in passports ---

# fmt: off
_HAN_SURNAMES: Final = (
    *"王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶",
    *"程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺郝顾",
    *"龚邵万覃武钱戴严莫孔向常汤康易乔赖庞樊兰殷施洪翟安倪梅柴季",
    "欧阳", "司徒", "诸葛",
)
_HAN_GIVEN: Final = {
    "M": (
        "子宇浩俊志文建国明嘉家天晓思泽海永立振承景瑞启宏正兴东绍德世",
        "轩涵杰宇豪辉鹏博强龙峰斌涛磊超勇军阳航晨哲伦凯毅坤林森鑫翔飞成平",
    ),
    "F": (
        "雨梦欣思佳雅晓小诗静婉紫子美玉慧若语可春秀海丽心彩银淑雪",
        "涵怡婷琪萱雪颖娜敏洁倩玲芳燕霞琳莹妍瑶蕾彤薇露丹云梅菲月宁悦英兰",
    ),
}
_ONE_CHARACTER: Final = 0.15
_HAN_READINGS: Final = {"曾": "zeng", "覃": "qin", "翟": "zhai"}  # as surnames; the dictionary knows them as words
_HAN_REGIONS: Final = _words(
    "山东:Shandong 江苏:Jiangsu 浙江:Zhejiang 河南:Henan 河北:Hebei 湖南:Hunan 湖北:Hubei 四川:Sichuan "
    "广东:Guangdong 广西:Guangxi 安徽:Anhui 江西:Jiangxi 福建:Fujian 陕西:Shaanxi 山西:Shanxi 云南:Yunnan "
    "贵州:Guizhou 辽宁:Liaoning 吉林:Jilin 甘肃:Gansu 黑龙江:Heilongjiang 重庆:Chongqing 天津:Tianjin 海南:Hainan "
    "内蒙古:Inner_Mongolia 宁夏:Ningxia"
)
# fmt: on


def _chinese(rng: random.Random, sex: str, family: Word | None) -> Name:
    surname = family.native if family else rng.choice(_HAN_SURNAMES)
    first, second = (rng.choice(characters) for characters in _HAN_GIVEN[sex])
    given = second if first == second or rng.random() < _ONE_CHARACTER else first + second
    latin = _pinyin(_HAN_READINGS.get(surname, surname))
    return Name(surname + given, latin, _pinyin(given), Word(surname, latin))


def _pinyin(characters: str) -> str:
    return "".join(lazy_pinyin(characters)).replace("v", "yu").upper()


# --- Thailand: surnames belong to one family each by law, so these are put together ---

# fmt: off
_THAI_GIVEN: Final = {
    "M": _words(
        "สมชาย:SOMCHAI สมศักดิ์:SOMSAK ประเสริฐ:PRASERT สุรชัย:SURACHAI วิชัย:WICHAI อนุชา:ANUCHA ธนพล:THANAPHON "
        "ณัฐพล:NATTHAPHON กิตติ:KITTI ธีรพงศ์:THIRAPHONG วีระ:WIRA ชัยวัฒน์:CHAIWAT พงศกร:PHONGSAKON ปกรณ์:PAKON ภูผา:PHUPHA "
        "อภิชาติ:APHICHAT ศักดา:SAKDA นพดล:NOPPHADON จักรกฤษณ์:CHAKKRIT ธนากร:THANAKON วรพล:WORAPHON สิทธิชัย:SITTHICHAI "
        "เอกชัย:EKKACHAI กฤษดา:KRITSADA ปิยะ:PIYA ชาญชัย:CHANCHAI มานพ:MANOP รัชพล:RATCHAPHON ศุภชัย:SUPPHACHAI "
        "ทศพล:THOTSAPHON อดิศร:ADISON บุญมี:BUNMI พิชิต:PHICHIT วัชระ:WATCHARA สราวุธ:SARAWUT อาทิตย์:ATHIT ก้องภพ:KONGPHOP "
        "ชยพล:CHAYAPHON ธนวัฒน์:THANAWAT"
    ),
    "F": _words(
        "สมหญิง:SOMYING สุดา:SUDA มาลี:MALI วิไล:WILAI อรทัย:ORATHAI กนกวรรณ:KANOKWAN ณัฐริกา:NATTHARIKA "
        "พิมพ์ชนก:PHIMCHANOK ปาริชาติ:PARICHAT จันทร์เพ็ญ:CHANPHEN ศิริพร:SIRIPHON สุภาพร:SUPHAPHON นภา:NAPHA "
        "ดวงใจ:DUANGCHAI รัตนา:RATTANA อัญชลี:ANCHALI ชลธิชา:CHONTHICHA เบญจมาศ:BENCHAMAT ปิยะนุช:PIYANUT วรรณา:WANNA "
        "สุนิสา:SUNISA กมลชนก:KAMONCHANOK ขวัญใจ:KHWANCHAI จิราพร:CHIRAPHON ธิดารัตน์:THIDARAT น้ำฝน:NAMFON บุษบา:BUTSABA "
        "พัชรี:PHATCHARI มณีรัตน์:MANIRAT รุ่งนภา:RUNGNAPHA ลลิตา:LALITA วาสนา:WATSANA ศศิธร:SASITHON สุพรรษา:SUPHANSA "
        "อารียา:ARIYA กัญญา:KANYA ชุติมา:CHUTIMA นันทนา:NANTHANA ปวีณา:PAWINA อภิญญา:APHINYA"
    ),
}
_THAI_FAMILY: Final = (
    _words(
        "ศรี:SI ทอง:THONG บุญ:BUN แก้ว:KAEO สุข:SUK จันทร์:CHAN วงศ์:WONG ชัย:CHAI เพชร:PHET มณี:MANI สุวรรณ:SUWAN คำ:KHAM "
        "ไชย:CHAI นาค:NAK พรหม:PHROM อินทร์:IN แสง:SAENG พูน:PHUN มั่น:MAN ยอด:YOT รุ่ง:RUNG เทพ:THEP"
    ),
    _words(
        "สุขใจ:SUKCHAI ทองดี:THONGDI วงศา:WONGSA ศรีงาม:SINGAM ชัยดี:CHAIDI มณีโชติ:MANICHOT แก้วใส:KAEOSAI สมบัติ:SOMBAT "
        "เจริญผล:CHAROENPHON รัตน์:RAT มงคล:MONGKHON พันธ์:PHAN ไพศาล:PHAISAN วัฒนา:WATTHANA อุดม:UDOM ประสิทธิ์:PRASIT "
        "สวัสดิ์:SAWAT กุล:KUN โสภา:SOPHA พิทักษ์:PHITHAK"
    ),
)
_THAI_REGIONS: Final = _words(
    "กรุงเทพมหานคร:Bangkok เชียงใหม่:Chiang_Mai เชียงราย:Chiang_Rai ขอนแก่น:Khon_Kaen อุดรธานี:Udon_Thani "
    "นครราชสีมา:Nakhon_Ratchasima อุบลราชธานี:Ubon_Ratchathani ระยอง:Rayong ชลบุรี:Chon_Buri สงขลา:Songkhla "
    "สุราษฎร์ธานี:Surat_Thani ลำปาง:Lampang น่าน:Nan เลย:Loei หนองคาย:Nong_Khai พิษณุโลก:Phitsanulok"
)
# fmt: on


def _put_together(rng: random.Random, parts: tuple[tuple[Word, ...], tuple[Word, ...]]) -> Word:
    first, second = (rng.choice(words) for words in parts)
    return Word(first.native + second.native, first.latin + second.latin)


def _thai(rng: random.Random, sex: str, family: Word | None) -> Name:
    given = rng.choice(_THAI_GIVEN[sex])
    family = family or _put_together(rng, _THAI_FAMILY)
    return Name(f"{given.native} {family.native}", family.latin, given.latin, family)


# --- Laos: as in Thailand, with the French-minded spelling of its passports ---

# fmt: off
_LAO_GIVEN: Final = {
    "M": _words(
        "ສົມພອນ:SOMPHONE ສົມສັກ:SOMSACK ບຸນມີ:BOUNMY ຄຳພັນ:KHAMPHANH ທອງດີ:THONGDY ສຸລິຍາ:SOULIYA ອານຸສອນ:ANOUSONE "
        "ພູທອນ:PHOUTHONE ຄຳສີ:KHAMSY ບຸນທັນ:BOUNTHANH ພອນໄຊ:PHONEXAY ສີສຸກ:SISOUK ສົມຈິດ:SOMCHIT ຄຳໃສ:KHAMSAI "
        "ບຸນຍົງ:BOUNYONG ວັນໄຊ:VANXAY ທະນົງ:THANONG ຈັນທອນ:CHANTHONE"
    ),
    "F": _words(
        "ມະນີວອນ:MANIVONE ບົວຈັນ:BOUACHANH ດາລາ:DALA ຄຳຫຼ້າ:KHAMLA ພອນທິບ:PHONETHIP ວັນນາ:VANNA ແສງດາວ:SENGDAO "
        "ຈັນທະລາ:CHANTHALA ສຸພາພອນ:SOUPHAPHONE ລັດສະໝີ:LATSAMY ມະນີຈັນ:MANICHANH ດວງຈັນ:DOUANGCHANH ບົວວັນ:BOUAVANH "
        "ອຳພອນ:AMPHONE ນິດຕະຍາ:NITTAYA ວຽງຄຳ:VIENGKHAM ພອນມະນີ:PHONEMANY ສຸດາພອນ:SOUDAPHONE"
    ),
}
_LAO_FAMILY: Final = (
    _words("ແກ້ວ:KEO ສີ:SI ໄຊ:XAY ພົມ:PHOM ວົງ:VONG ຄຳ:KHAM ສຸກ:SOUK ທອງ:THONG ບຸນ:BOUN ແສງ:SENG ອິນ:IN ພັນ:PHAN"),
    _words(
        "ມະນີ:MANY ສະຫວັນ:SAVANH ວົງສາ:VONGSA ປະເສີດ:PASEUTH ວິໄລ:VILAY ສົມບັດ:SOMBATH ຈັນ:CHANH ດາລາ:DALA ພົນ:PHONH "
        "ສຸລິ:SOULY ທິລາດ:THILATH ວິຈິດ:VICHITH"
    ),
)
_LAO_REGIONS: Final = _words(
    "ນະຄອນຫຼວງວຽງຈັນ:Vientiane_Prefecture ຫຼວງພະບາງ:Luang_Prabang ສະຫວັນນະເຂດ:Savannakhet ຈຳປາສັກ:Champasak "
    "ຄຳມ່ວນ:Khammouane ອຸດົມໄຊ:Oudomxay ຫຼວງນ້ຳທາ:Luang_Namtha ຊຽງຂວາງ:Xiangkhouang ບໍລິຄຳໄຊ:Bolikhamxay"
)
# fmt: on


def _lao(rng: random.Random, sex: str, family: Word | None) -> Name:
    given = rng.choice(_LAO_GIVEN[sex])
    family = family or _put_together(rng, _LAO_FAMILY)
    return Name(f"{given.native} {family.native}", family.latin, given.latin, family)


# --- Cambodia: the family name first ---

# fmt: off
_KHMER_FAMILY: Final = _words(
    "សុខ:SOK ចាន់:CHAN គឹម:KIM លី:LY ហេង:HENG ជា:CHEA អ៊ុំ:UM ឡុង:LONG ប៊ុន:BUN ឈួន:CHHUON កែវ:KEO សេង:SENG ម៉ៅ:MAO នួន:NUON "
    "ពេជ្រ:PICH ទេព:TEP ឡាយ:LAY តាន់:TAN យិន:YIN វ៉ាន់:VANN ឃុន:KHUN ឌី:DY ស៊ុន:SUN ហ៊ឹម:HIM គង់:KONG ជួន:CHUON ធី:THY ភួង:PHUONG "
    "អ៊ិន:IN រស់:ROS ព្រំ:PROM មាស:MEAS អ៊ូច:OUCH ឈឹម:CHHIM"
)
_KHMER_GIVEN: Final = {
    "M": _words(
        "វិសាល:VISAL បញ្ញា:PANHA វណ្ណៈ:VANNAK ពិសិដ្ឋ:PISETH រតនា:RATANA សុវណ្ណ:SOVANN វុទ្ធី:VUTHY ភារម្យ:PHEAROM ធារ៉ា:THEARA "
        "ដារ៉ា:DARA សំណាង:SAMNANG បូរ៉ា:BORA វីរៈ:VIREAK រដ្ឋា:RATHA មករា:MAKARA កក្កដា:KAKADA សីហា:SEIHA តុលា:TOLA មុនី:MONY "
        "ឧត្តម:UDOM សុភ័ក្រ:SOPHEAK សុខា:SOKHA ចំរើន:CHAMROEUN កុសល:KOSAL នរិន្ទ:NARIN ពិរុណ:PIRUN វាសនា:VEASNA សម្បត្តិ:SAMBATH "
        "មេសា:MESA វិចិត្រ:VICHET"
    ),
    "F": _words(
        "សុភាព:SOPHEAP ស្រីមុំ:SREYMOM ស្រីនាង:SREYNEANG បុប្ផា:BOPHA ចន្ធូ:CHANTHOU ចាន់ណា:CHANNA កល្យាណ:KALYAN មាលា:MEALEA "
        "ម៉ាលីស:MALIS រំដួល:ROMDUOL ស្រីពេជ្រ:SREYPICH ស្រីលក្ខណ៍:SREYLEAK សុជាតា:SOCHEATA ធីតា:THIDA វត្តី:VATTEY ដាវី:DAVY "
        "រស្មី:RAKSMEY ទេវី:TEVY ភក្តី:PHEAKDEY កញ្ញា:KANHA សូរិយា:SORIYA ចរិយា:CHARIYA ពិសី:PISEY សុវណ្ណារី:SOVANNARY "
        "ធារី:THEARY ណារី:NARY លីដា:LIDA និមល:NIMOL សោភា:SOPHEA ស្រីណែត:SREYNET រចនា:RACHANA"
    ),
}
_KHMER_REGIONS: Final = _words(
    "ភ្នំពេញ:Phnom_Penh កណ្ដាល:Kandal បាត់ដំបង:Battambang សៀមរាប:Siem_Reap កំពង់ចាម:Kampong_Cham កំពត:Kampot តាកែវ:Takeo "
    "ព្រៃវែង:Prey_Veng ស្វាយរៀង:Svay_Rieng ពោធិ៍សាត់:Pursat ក្រចេះ:Kratie ព្រះសីហនុ:Preah_Sihanouk"
)
# fmt: on


def _khmer(rng: random.Random, sex: str, family: Word | None) -> Name:
    given = rng.choice(_KHMER_GIVEN[sex])
    family = family or rng.choice(_KHMER_FAMILY)
    return Name(f"{family.native} {given.native}", family.latin, given.latin, family)


# --- Russia and Kazakhstan: surname, given name, patronymic, which passports leave out; they spell by Doc 9303 ---

# fmt: off
_CYRILLIC: Final = str.maketrans({
    "А": "A", "Б": "B", "В": "V", "Г": "G", "Д": "D", "Е": "E", "Ё": "E", "Ж": "ZH", "З": "Z", "И": "I", "Й": "I",
    "К": "K", "Л": "L", "М": "M", "Н": "N", "О": "O", "П": "P", "Р": "R", "С": "S", "Т": "T", "У": "U", "Ф": "F",
    "Х": "KH", "Ц": "TS", "Ч": "CH", "Ш": "SH", "Щ": "SHCH", "Ъ": "IE", "Ы": "Y", "Ь": "", "Э": "E", "Ю": "IU",
    "Я": "IA",
    # Kazakh, as its passports have it
    "Ә": "A", "Ғ": "G", "Қ": "K", "Ң": "N", "Ө": "O", "Ұ": "U", "Ү": "U", "Һ": "H", "І": "I",
})
_RUSSIAN_FAMILY: Final = _list(
    "Смирнов Кузнецов Попов Васильев Соколов Михайлов Новиков Фёдоров Морозов Волков Алексеев Лебедев Семёнов "
    "Егоров Павлов Козлов Степанов Николаев Орлов Андреев Макаров Никитин Захаров Зайцев Соловьёв Борисов Яковлев "
    "Григорьев Романов Воробьёв Сергеев Фролов Дмитриев Королёв Гусев Киселёв Ильин Поляков Сорокин Виноградов "
    "Ковалёв Белов Медведкин Антонов Тарасов Жуков Баранов Филиппов Комаров Давыдов Беляев Герасимов Богданов "
    "Осипов Сидоров Матвеев Титов Марков Миронов Крылов Щукин Цветков Островский Вишневский Заречный Подгорный"
)
_RUSSIAN_GIVEN: Final = {
    "M": _list(
        "Александр Дмитрий Максим Сергей Андрей Алексей Артём Илья Кирилл Михаил Никита Матвей Роман Егор Арсений "
        "Иван Денис Евгений Даниил Тимофей Владислав Игорь Владимир Павел Руслан Марк Константин Тимур Олег "
        "Ярослав Антон Николай Глеб Степан Фёдор Юрий Вадим Григорий"
    ),
    "F": _list(
        "Анастасия Мария Дарья Анна Елизавета Полина Виктория Екатерина София Александра Варвара Ксения Ольга "
        "Татьяна Наталья Юлия Ирина Алина Вероника Кристина Валерия Маргарита Евгения Светлана Яна Диана Алёна "
        "Ангелина Надежда Людмила Марина Елена Любовь Вера Галина Арина"
    ),
}
_RUSSIAN_FATHERS: Final = _list(
    "Александров Дмитриев Сергеев Андреев Алексеев Михайлов Романов Иванов Денисов Евгеньев Игорев Владимиров "
    "Павлов Константинов Олегов Антонов Николаев Юрьев Вадимов Григорьев Викторов Анатольев Геннадьев Валерьев"
)
_RUSSIAN_REGIONS: Final = _words(
    "Приморский_край:Primorsky_Krai Хабаровский_край:Khabarovsk_Krai Амурская_область:Amur_Oblast "
    "Иркутская_область:Irkutsk_Oblast Забайкальский_край:Zabaykalsky_Krai Новосибирская_область:Novosibirsk_Oblast "
    "Свердловская_область:Sverdlovsk_Oblast Республика_Татарстан:Tatarstan Самарская_область:Samara_Oblast "
    "Омская_область:Omsk_Oblast Красноярский_край:Krasnoyarsk_Krai"
)
_KAZAKH_FAMILY: Final = _list(
    "Ахметов Оспанов Қасымов Сейітов Нұрланов Жұмабеков Әбдірахманов Сұлтанов Ибраев Байжанов Төлегенов Искаков "
    "Омаров Ермеков Сәрсенов Мұқанов Жақсыбеков Тұрсынов Қожахметов Бекетов Есімов Смағұлов Дүйсенов Рахымов "
    "Айтжанов Әлімов Кенжебаев Мырзаев Досмағамбетов Шәріпов Үсенов Ғаббасов"
)
_KAZAKH_GIVEN: Final = {
    "M": _list(
        "Нұрлан Ержан Айдос Данияр Арман Бауыржан Дәурен Ерлан Жандос Қайрат Мәди Олжас Санжар Темірлан Асхат "
        "Азамат Бекзат Ғалым Әлихан Мирас Рүстем Дархан Ернар Нұржан Абылай Алмас"
    ),
    "F": _list(
        "Айгерім Аружан Айнұр Динара Жанар Назерке Мөлдір Аяулым Әсел Балнұр Камила Меруерт Сәуле Томирис Шолпан "
        "Іңкәр Гүлназ Аида Айша Жансая Еркежан Мадина Перизат Самал Ұлпан Үміт"
    ),
}
_KAZAKH_FATHERS: Final = _list(
    "Ерлан Нұрлан Болат Серік Қайрат Марат Талғат Ермек Асқар Бақыт Дәулет Жомарт Мұрат Ғани Сәбит Еркін Қуат Әділ"
)
_KAZAKH_REGIONS: Final = _words(
    "Алматы_облысы:Almaty_Region Абай_облысы:Abai_Region Қарағанды_облысы:Karaganda_Region "
    "Жетісу_облысы:Jetisu_Region Түркістан_облысы:Turkistan_Region Павлодар_облысы:Pavlodar_Region "
    "Ақтөбе_облысы:Aktobe_Region Атырау_облысы:Atyrau_Region Шығыс_Қазақстан_облысы:East_Kazakhstan_Region"
)
# fmt: on


def _russian(rng: random.Random, sex: str, family: Word | None) -> Name:
    masculine = family.native if family else rng.choice(_RUSSIAN_FAMILY)
    patronymic = rng.choice(_RUSSIAN_FATHERS) + {"M": "ич", "F": "на"}[sex]
    return _cyrillic(masculine, sex, rng.choice(_RUSSIAN_GIVEN[sex]), patronymic)


def _kazakh(rng: random.Random, sex: str, family: Word | None) -> Name:
    masculine = family.native if family else rng.choice(_KAZAKH_FAMILY)
    patronymic = rng.choice(_KAZAKH_FATHERS) + {"M": "ұлы", "F": "қызы"}[sex]
    return _cyrillic(masculine, sex, rng.choice(_KAZAKH_GIVEN[sex]), patronymic)


def _cyrillic(masculine: str, sex: str, given: str, patronymic: str) -> Name:
    surname = masculine
    if sex == "F":
        surname = masculine[:-2] + "ая" if masculine.endswith(("ий", "ый")) else masculine + "а"
    latin = surname.upper().translate(_CYRILLIC)
    family = Word(masculine, masculine.upper().translate(_CYRILLIC))
    return Name(f"{surname} {given} {patronymic}", latin, given.upper().translate(_CYRILLIC), family)


# --- Viet Nam: surname, middle name, given name; passports drop the marks ---

# fmt: off
_VIETNAMESE_FAMILY: Final = _list(
    "Nguyễn Trần Lê Phạm Hoàng Huỳnh Phan Vũ Võ Đặng Bùi Đỗ Hồ Ngô Dương Lý Đinh Trịnh Mai Lương Đoàn Tạ Chu Thái "
    "Hà"
)
_VIETNAMESE_GIVEN: Final = {
    "M": (
        _list("Văn Đức Minh Quang Hữu Anh Quốc Công Thành Xuân Gia Đình"),
        _list(
            "Hùng Dũng Cường Tuấn Nam Long Sơn Hải Phong Khánh Bình Thắng Huy Kiên Tùng Đạt Khoa Lâm Phúc Thịnh "
            "Tiến Trung Việt Vinh Hiếu Toàn Nghĩa Quân"
        ),
    ),
    "F": (
        _list("Thị Ngọc Thu Thanh Kim Bích Phương Mỹ Hồng Thùy Khánh Minh"),
        _list(
            "Lan Hoa Hương Linh Trang Thảo Hà Ngân Nhung Yến Oanh Quỳnh Châu Diệp Giang Hằng Hạnh Huyền Loan Mai "
            "My Nga Nhi Phượng Tâm Thúy Trâm Uyên Vân Vy"
        ),
    ),
}
_VIETNAMESE_REGIONS: Final = _words(
    "Hà_Nội:Hanoi Hải_Phòng:Hai_Phong Nghệ_An:Nghe_An Thanh_Hóa:Thanh_Hoa Quảng_Ninh:Quang_Ninh Đà_Nẵng:Da_Nang "
    "Cần_Thơ:Can_Tho Hà_Tĩnh:Ha_Tinh Lào_Cai:Lao_Cai Lạng_Sơn:Lang_Son Đắk_Lắk:Dak_Lak"
)
# fmt: on


def _vietnamese(rng: random.Random, sex: str, family: Word | None) -> Name:
    surname = family.native if family else rng.choice(_VIETNAMESE_FAMILY)
    given = " ".join(rng.choice(names) for names in _VIETNAMESE_GIVEN[sex])
    latin = _unmarked(surname)
    return Name(f"{surname} {given}", latin, _unmarked(given), Word(surname, latin))


def _unmarked(text: str) -> str:
    letters = normalize("NFD", text.replace("Đ", "D").replace("đ", "d"))
    return "".join(letter for letter in letters if not combining(letter)).upper()


# --- Indonesia: most have no family name; the last word stands first in the passport, and some have one word only ---

# fmt: off
_INDONESIAN: Final = {
    "M": (
        _list(
            "Agus Budi Dimas Eko Fajar Hendra Irfan Rizky Wahyu Yoga Bayu Aditya Bagas Galih Ilham Rendi Surya "
            "Teguh Yudi Arif Dedi Gilang Nanda Reza"
        ),
        _list(
            "Santoso Wibowo Saputra Hidayat Kurniawan Setiawan Nugroho Pratama Wijaya Gunawan Susanto Hartono "
            "Firmansyah Mahendra"
        ),
    ),
    "F": (
        _list(
            "Ayu Dewi Fitri Indah Maya Nur Putri Rina Sari Siti Wulan Yuni Citra Dian Intan Kartika Melati Ratna "
            "Anisa Laras Nadia Tari"
        ),
        _list(
            "Wulandari Rahayu Puspita Handayani Anggraini Maharani Kusuma Permata Safitri Utami Pertiwi Hapsari "
            "Oktaviani Damayanti"
        ),
    ),
}
_ONE_WORD: Final = 0.08
_INDONESIAN_REGIONS: Final = _words(
    "Jawa_Barat:West_Java Jawa_Tengah:Central_Java Jawa_Timur:East_Java Banten:Banten Bali:Bali Lampung:Lampung "
    "Sumatera_Utara:North_Sumatra Sulawesi_Selatan:South_Sulawesi Nusa_Tenggara_Barat:West_Nusa_Tenggara"
)
# fmt: on


def _indonesian(rng: random.Random, sex: str, _family: Word | None) -> Name:
    firsts, lasts = _INDONESIAN[sex]
    words = [*rng.sample(firsts, rng.choice((1, 1, 2))), rng.choice(lasts)]
    if rng.random() < _ONE_WORD:
        words = words[-1:]
    return Name(" ".join(words), words[-1].upper(), " ".join(words[:-1]).upper(), None)


_PATRILINEAL: Final = {"father": True, "mother": False}
_ONE_NAME: Final = {"father": True, "mother": True}
# A father's given name would have to agree with the patronymic of his child.
_PATRONYMIC: Final = {"mother": True, "grandmother": True}

# fmt: off
CULTURES: Final = {
    # nationality   name      regions        numbers   years   adult_from   ends_days_before   guardians
    "CN": Culture(_chinese, _HAN_REGIONS, ("E########", "E@#######"), (10,), 16, 1, _PATRILINEAL),
    "TH": Culture(_thai, _THAI_REGIONS, ("AA#######", "AB#######", "AC#######"), (5, 10), 20, 1, _ONE_NAME),
    "KH": Culture(_khmer, _KHMER_REGIONS, ("N0#######",), (10,), 5, 0, _PATRILINEAL),
    "RU": Culture(_russian, _RUSSIAN_REGIONS, ("7########", "6########"), (5, 10), 18, 0, _PATRONYMIC),
    "KZ": Culture(_kazakh, _KAZAKH_REGIONS, ("N########",), (10,), 16, 1, _PATRONYMIC),
    "VN": Culture(_vietnamese, _VIETNAMESE_REGIONS, ("B#######", "C#######"), (10,), 14, 0, _PATRILINEAL),
    "LA": Culture(_lao, _LAO_REGIONS, ("PA#######",), (10,), 18, 0, _ONE_NAME),
    "ID": Culture(_indonesian, _INDONESIAN_REGIONS, ("B#######", "C#######", "X#######"), (5, 10), 17, 0, _ONE_NAME),
}
# fmt: on
