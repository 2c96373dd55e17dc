"""Strategies on closed candles, computed with TA-Lib: one file each."""

from __future__ import annotations

from signals_app.strategies.technical.adx_trend import AdxTrend
from signals_app.strategies.technical.aroon_cross import AroonCross
from signals_app.strategies.technical.atr_breakout import AtrBreakout
from signals_app.strategies.technical.bandwidth_expansion import BandwidthExpansion
from signals_app.strategies.technical.base import TechnicalStrategy
from signals_app.strategies.technical.bollinger_reversion import BollingerReversion
from signals_app.strategies.technical.chaikin_oscillator import ChaikinOscillator
from signals_app.strategies.technical.donchian_breakout import DonchianBreakout
from signals_app.strategies.technical.engulfing import Engulfing
from signals_app.strategies.technical.golden_cross import GoldenCross
from signals_app.strategies.technical.hammer_star import HammerStar
from signals_app.strategies.technical.ichimoku_breakout import IchimokuBreakout
from signals_app.strategies.technical.inside_bar_breakout import InsideBarBreakout
from signals_app.strategies.technical.keltner_breakout import KeltnerBreakout
from signals_app.strategies.technical.macd_cross import MacdCross
from signals_app.strategies.technical.mfi_reversal import MfiReversal
from signals_app.strategies.technical.morning_evening_star import MorningEveningStar
from signals_app.strategies.technical.mtf_adx_breakout import MtfAdxBreakout
from signals_app.strategies.technical.mtf_macd import MtfMacd
from signals_app.strategies.technical.mtf_trend_pullback import MtfTrendPullback
from signals_app.strategies.technical.obv_trend import ObvTrend
from signals_app.strategies.technical.parabolic_sar import ParabolicSar
from signals_app.strategies.technical.rsi_reversal import RsiReversal
from signals_app.strategies.technical.squeeze_breakout import SqueezeBreakout
from signals_app.strategies.technical.stochastic_cross import StochasticCross
from signals_app.strategies.technical.supertrend import Supertrend
from signals_app.strategies.technical.volume_surge_breakout import VolumeSurgeBreakout
from signals_app.strategies.technical.vwap_reversion import VwapReversion
from signals_app.strategies.technical.zscore_reversion import ZscoreReversion

STRATEGIES: tuple[TechnicalStrategy, ...] = (
    GoldenCross(),
    MacdCross(),
    AdxTrend(),
    Supertrend(),
    IchimokuBreakout(),
    ParabolicSar(),
    AroonCross(),
    RsiReversal(),
    StochasticCross(),
    BollingerReversion(),
    ZscoreReversion(),
    DonchianBreakout(),
    KeltnerBreakout(),
    InsideBarBreakout(),
    VolumeSurgeBreakout(),
    ObvTrend(),
    MfiReversal(),
    ChaikinOscillator(),
    VwapReversion(),
    SqueezeBreakout(),
    BandwidthExpansion(),
    AtrBreakout(),
    Engulfing(),
    HammerStar(),
    MorningEveningStar(),
    MtfTrendPullback(),
    MtfMacd(),
    MtfAdxBreakout(),
)
BY_ID = {strategy.spec.strategy_id: strategy for strategy in STRATEGIES}
