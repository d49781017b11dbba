/*! Holds uPlot (https://github.com/leeoniya/uPlot):
The MIT License (MIT)

Copyright (c) 2022 Leon Sorokin

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in
all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN
THE SOFTWARE.
*/
(() => {
  // node_modules/uplot/dist/uPlot.esm.js
  var FEAT_TIME = true;
  var pre = "u-";
  var UPLOT = "uplot";
  var ORI_HZ = pre + "hz";
  var ORI_VT = pre + "vt";
  var TITLE = pre + "title";
  var WRAP = pre + "wrap";
  var UNDER = pre + "under";
  var OVER = pre + "over";
  var AXIS = pre + "axis";
  var OFF = pre + "off";
  var SELECT = pre + "select";
  var CURSOR_X = pre + "cursor-x";
  var CURSOR_Y = pre + "cursor-y";
  var CURSOR_PT = pre + "cursor-pt";
  var LEGEND = pre + "legend";
  var LEGEND_LIVE = pre + "live";
  var LEGEND_INLINE = pre + "inline";
  var LEGEND_SERIES = pre + "series";
  var LEGEND_MARKER = pre + "marker";
  var LEGEND_LABEL = pre + "label";
  var LEGEND_VALUE = pre + "value";
  var WIDTH = "width";
  var HEIGHT = "height";
  var TOP = "top";
  var BOTTOM = "bottom";
  var LEFT = "left";
  var RIGHT = "right";
  var hexBlack = "#000";
  var transparent = hexBlack + "0";
  var mousemove = "mousemove";
  var mousedown = "mousedown";
  var mouseup = "mouseup";
  var mouseenter = "mouseenter";
  var mouseleave = "mouseleave";
  var dblclick = "dblclick";
  var resize = "resize";
  var scroll = "scroll";
  var change = "change";
  var dppxchange = "dppxchange";
  var LEGEND_DISP = "--";
  var domEnv = typeof window != "undefined";
  var doc = domEnv ? document : null;
  var win = domEnv ? window : null;
  var nav = domEnv ? navigator : null;
  var pxRatio;
  var query;
  function setPxRatio() {
    let _pxRatio = devicePixelRatio;
    if (pxRatio != _pxRatio) {
      pxRatio = _pxRatio;
      query && off(change, query, setPxRatio);
      query = matchMedia(`(min-resolution: ${pxRatio - 0.001}dppx) and (max-resolution: ${pxRatio + 0.001}dppx)`);
      on(change, query, setPxRatio);
      win.dispatchEvent(new CustomEvent(dppxchange));
    }
  }
  function addClass(el, c) {
    if (c != null) {
      let cl = el.classList;
      !cl.contains(c) && cl.add(c);
    }
  }
  function remClass(el, c) {
    let cl = el.classList;
    cl.contains(c) && cl.remove(c);
  }
  function setStylePx(el, name, value) {
    el.style[name] = value + "px";
  }
  function placeTag(tag, cls, targ, refEl) {
    let el = doc.createElement(tag);
    if (cls != null)
      addClass(el, cls);
    if (targ != null)
      targ.insertBefore(el, refEl);
    return el;
  }
  function placeDiv(cls, targ) {
    return placeTag("div", cls, targ);
  }
  var xformCache = new WeakMap;
  function elTrans(el, xPos, yPos, xMax, yMax) {
    let xform = "translate(" + xPos + "px," + yPos + "px)";
    let xformOld = xformCache.get(el);
    if (xform != xformOld) {
      el.style.transform = xform;
      xformCache.set(el, xform);
      if (xPos < 0 || yPos < 0 || xPos > xMax || yPos > yMax)
        addClass(el, OFF);
      else
        remClass(el, OFF);
    }
  }
  var colorCache = new WeakMap;
  function elColor(el, background, borderColor) {
    let newColor = background + borderColor;
    let oldColor = colorCache.get(el);
    if (newColor != oldColor) {
      colorCache.set(el, newColor);
      el.style.background = background;
      el.style.borderColor = borderColor;
    }
  }
  var sizeCache = new WeakMap;
  function elSize(el, newWid, newHgt, centered) {
    let newSize = newWid + "" + newHgt;
    let oldSize = sizeCache.get(el);
    if (newSize != oldSize) {
      sizeCache.set(el, newSize);
      el.style.height = newHgt + "px";
      el.style.width = newWid + "px";
      el.style.marginLeft = centered ? -newWid / 2 + "px" : 0;
      el.style.marginTop = centered ? -newHgt / 2 + "px" : 0;
    }
  }
  var evOpts = { passive: true };
  var evOpts2 = { ...evOpts, capture: true };
  function on(ev, el, cb, capt) {
    el.addEventListener(ev, cb, capt ? evOpts2 : evOpts);
  }
  function off(ev, el, cb, capt) {
    el.removeEventListener(ev, cb, evOpts);
  }
  domEnv && setPxRatio();
  function closestIdx(num, arr, lo, hi) {
    let mid;
    lo = lo || 0;
    hi = hi || arr.length - 1;
    let bitwise = hi <= 2147483647;
    while (hi - lo > 1) {
      mid = bitwise ? lo + hi >> 1 : floor((lo + hi) / 2);
      if (arr[mid] < num)
        lo = mid;
      else
        hi = mid;
    }
    if (num - arr[lo] <= arr[hi] - num)
      return lo;
    return hi;
  }
  function makeIndexOfs(predicate) {
    let indexOfs = (data, _i0, _i1) => {
      let i0 = -1;
      let i1 = -1;
      for (let i = _i0;i <= _i1; i++) {
        if (predicate(data[i])) {
          i0 = i;
          break;
        }
      }
      for (let i = _i1;i >= _i0; i--) {
        if (predicate(data[i])) {
          i1 = i;
          break;
        }
      }
      return [i0, i1];
    };
    return indexOfs;
  }
  var notNullish = (v) => v != null;
  var isPositive = (v) => v != null && v > 0;
  var nonNullIdxs = makeIndexOfs(notNullish);
  var positiveIdxs = makeIndexOfs(isPositive);
  function getMinMax(data, _i0, _i1, sorted = 0, log = false) {
    let getEdgeIdxs = log ? positiveIdxs : nonNullIdxs;
    let predicate = log ? isPositive : notNullish;
    [_i0, _i1] = getEdgeIdxs(data, _i0, _i1);
    let _min = data[_i0];
    let _max = data[_i0];
    if (_i0 > -1) {
      if (sorted == 1) {
        _min = data[_i0];
        _max = data[_i1];
      } else if (sorted == -1) {
        _min = data[_i1];
        _max = data[_i0];
      } else {
        for (let i = _i0;i <= _i1; i++) {
          let v = data[i];
          if (predicate(v)) {
            if (v < _min)
              _min = v;
            else if (v > _max)
              _max = v;
          }
        }
      }
    }
    return [_min ?? inf, _max ?? -inf];
  }
  function rangeLog(min, max, base, fullMags) {
    let minSign = sign(min);
    let maxSign = sign(max);
    if (min == max) {
      if (minSign == -1) {
        min *= base;
        max /= base;
      } else {
        min /= base;
        max *= base;
      }
    }
    let logFn = base == 10 ? log10 : log2;
    let growMinAbs = minSign == 1 ? floor : ceil;
    let growMaxAbs = maxSign == 1 ? ceil : floor;
    let minExp = growMinAbs(logFn(abs(min)));
    let maxExp = growMaxAbs(logFn(abs(max)));
    let minIncr = pow(base, minExp);
    let maxIncr = pow(base, maxExp);
    if (base == 10) {
      if (minExp < 0)
        minIncr = roundDec(minIncr, -minExp);
      if (maxExp < 0)
        maxIncr = roundDec(maxIncr, -maxExp);
    }
    if (fullMags || base == 2) {
      min = minIncr * minSign;
      max = maxIncr * maxSign;
    } else {
      min = incrRoundDn(min, minIncr);
      max = incrRoundUp(max, maxIncr);
    }
    return [min, max];
  }
  function rangeAsinh(min, max, base, fullMags) {
    let minMax = rangeLog(min, max, base, fullMags);
    if (min == 0)
      minMax[0] = 0;
    if (max == 0)
      minMax[1] = 0;
    return minMax;
  }
  var rangePad = 0.1;
  var autoRangePart = {
    mode: 3,
    pad: rangePad
  };
  var _eqRangePart = {
    pad: 0,
    soft: null,
    mode: 0
  };
  var _eqRange = {
    min: _eqRangePart,
    max: _eqRangePart
  };
  function rangeNum(_min, _max, mult, extra) {
    if (isObj(mult))
      return _rangeNum(_min, _max, mult);
    _eqRangePart.pad = mult;
    _eqRangePart.soft = extra ? 0 : null;
    _eqRangePart.mode = extra ? 3 : 0;
    return _rangeNum(_min, _max, _eqRange);
  }
  function ifNull(lh, rh) {
    return lh == null ? rh : lh;
  }
  function hasData(data, idx0, idx1) {
    idx0 = ifNull(idx0, 0);
    idx1 = ifNull(idx1, data.length - 1);
    while (idx0 <= idx1) {
      if (data[idx0] != null)
        return true;
      idx0++;
    }
    return false;
  }
  function _rangeNum(_min, _max, cfg) {
    let cmin = cfg.min;
    let cmax = cfg.max;
    let padMin = ifNull(cmin.pad, 0);
    let padMax = ifNull(cmax.pad, 0);
    let hardMin = ifNull(cmin.hard, -inf);
    let hardMax = ifNull(cmax.hard, inf);
    let softMin = ifNull(cmin.soft, inf);
    let softMax = ifNull(cmax.soft, -inf);
    let softMinMode = ifNull(cmin.mode, 0);
    let softMaxMode = ifNull(cmax.mode, 0);
    let delta = _max - _min;
    let deltaMag = log10(delta);
    let scalarMax = max(abs(_min), abs(_max));
    let scalarMag = log10(scalarMax);
    let scalarMagDelta = abs(scalarMag - deltaMag);
    if (delta < 0.000000000000000000000001 || scalarMagDelta > 10) {
      delta = 0;
      if (_min == 0 || _max == 0) {
        delta = 0.000000000000000000000001;
        if (softMinMode == 2 && softMin != inf)
          padMin = 0;
        if (softMaxMode == 2 && softMax != -inf)
          padMax = 0;
      }
    }
    let nonZeroDelta = delta || scalarMax || 1000;
    let mag = log10(nonZeroDelta);
    let base = pow(10, floor(mag));
    let _padMin = nonZeroDelta * (delta == 0 ? _min == 0 ? 0.1 : 1 : padMin);
    let _newMin = roundDec(incrRoundDn(_min - _padMin, base / 10), 24);
    let _softMin = _min >= softMin && (softMinMode == 1 || softMinMode == 3 && _newMin <= softMin || softMinMode == 2 && _newMin >= softMin) ? softMin : inf;
    let minLim = max(hardMin, _newMin < _softMin && _min >= _softMin ? _softMin : min(_softMin, _newMin));
    let _padMax = nonZeroDelta * (delta == 0 ? _max == 0 ? 0.1 : 1 : padMax);
    let _newMax = roundDec(incrRoundUp(_max + _padMax, base / 10), 24);
    let _softMax = _max <= softMax && (softMaxMode == 1 || softMaxMode == 3 && _newMax >= softMax || softMaxMode == 2 && _newMax <= softMax) ? softMax : -inf;
    let maxLim = min(hardMax, _newMax > _softMax && _max <= _softMax ? _softMax : max(_softMax, _newMax));
    if (minLim == maxLim && minLim == 0)
      maxLim = 100;
    return [minLim, maxLim];
  }
  var numFormatter = new Intl.NumberFormat(domEnv ? nav.language : "en-US");
  var fmtNum = (val) => numFormatter.format(val);
  var M = Math;
  var PI = M.PI;
  var abs = M.abs;
  var floor = M.floor;
  var round = M.round;
  var ceil = M.ceil;
  var min = M.min;
  var max = M.max;
  var pow = M.pow;
  var sign = M.sign;
  var log10 = M.log10;
  var log2 = M.log2;
  var sinh = (v, linthresh = 1) => M.sinh(v) * linthresh;
  var asinh = (v, linthresh = 1) => M.asinh(v / linthresh);
  var inf = Infinity;
  function numIntDigits(x) {
    return (log10((x ^ x >> 31) - (x >> 31)) | 0) + 1;
  }
  function clamp(num, _min, _max) {
    return min(max(num, _min), _max);
  }
  function isFn(v) {
    return typeof v == "function";
  }
  function fnOrSelf(v) {
    return isFn(v) ? v : () => v;
  }
  var noop = () => {};
  var retArg0 = (_0) => _0;
  var retArg1 = (_0, _1) => _1;
  var retNull = (_) => null;
  var retTrue = (_) => true;
  var retEq = (a, b) => a == b;
  var regex6 = /\.\d*?(?=9{6,}|0{6,})/gm;
  var fixFloat = (val) => {
    if (isInt(val) || fixedDec.has(val))
      return val;
    const str = `${val}`;
    const match = str.match(regex6);
    if (match == null)
      return val;
    let len = match[0].length - 1;
    if (str.indexOf("e-") != -1) {
      let [num, exp] = str.split("e");
      return +`${fixFloat(num)}e${exp}`;
    }
    return roundDec(val, len);
  };
  function incrRound(num, incr) {
    return fixFloat(roundDec(fixFloat(num / incr)) * incr);
  }
  function incrRoundUp(num, incr) {
    return fixFloat(ceil(fixFloat(num / incr)) * incr);
  }
  function incrRoundDn(num, incr) {
    return fixFloat(floor(fixFloat(num / incr)) * incr);
  }
  function roundDec(val, dec = 0) {
    if (isInt(val))
      return val;
    let p = 10 ** dec;
    let n = val * p * (1 + Number.EPSILON);
    return round(n) / p;
  }
  var fixedDec = new Map;
  function guessDec(num) {
    return (("" + num).split(".")[1] || "").length;
  }
  function genIncrs(base, minExp, maxExp, mults) {
    let incrs = [];
    let multDec = mults.map(guessDec);
    for (let exp = minExp;exp < maxExp; exp++) {
      let expa = abs(exp);
      let mag = roundDec(pow(base, exp), expa);
      for (let i = 0;i < mults.length; i++) {
        let _incr = base == 10 ? +`${mults[i]}e${exp}` : mults[i] * mag;
        let dec = (exp >= 0 ? 0 : expa) + (exp >= multDec[i] ? 0 : multDec[i]);
        let incr = base == 10 ? _incr : roundDec(_incr, dec);
        incrs.push(incr);
        fixedDec.set(incr, dec);
      }
    }
    return incrs;
  }
  var EMPTY_OBJ = {};
  var EMPTY_ARR = [];
  var nullNullTuple = [null, null];
  var isArr = Array.isArray;
  var isInt = Number.isInteger;
  var isUndef = (v) => v === undefined;
  function isStr(v) {
    return typeof v == "string";
  }
  function isObj(v) {
    let is = false;
    if (v != null) {
      let c = v.constructor;
      is = c == null || c == Object;
    }
    return is;
  }
  function fastIsObj(v) {
    return v != null && typeof v == "object";
  }
  var TypedArray = Object.getPrototypeOf(Uint8Array);
  var __proto__ = "__proto__";
  function copy(o, _isObj = isObj) {
    let out;
    if (isArr(o)) {
      let val = o.find((v) => v != null);
      if (isArr(val) || _isObj(val)) {
        out = Array(o.length);
        for (let i = 0;i < o.length; i++)
          out[i] = copy(o[i], _isObj);
      } else
        out = o.slice();
    } else if (o instanceof TypedArray)
      out = o.slice();
    else if (_isObj(o)) {
      out = {};
      for (let k in o) {
        if (k != __proto__)
          out[k] = copy(o[k], _isObj);
      }
    } else
      out = o;
    return out;
  }
  function assign(targ) {
    let args = arguments;
    for (let i = 1;i < args.length; i++) {
      let src = args[i];
      for (let key in src) {
        if (key != __proto__) {
          if (isObj(targ[key]))
            assign(targ[key], copy(src[key]));
          else
            targ[key] = copy(src[key]);
        }
      }
    }
    return targ;
  }
  var NULL_REMOVE = 0;
  var NULL_RETAIN = 1;
  var NULL_EXPAND = 2;
  function nullExpand(yVals, nullIdxs, alignedLen) {
    for (let i = 0, xi, lastNullIdx = -1;i < nullIdxs.length; i++) {
      let nullIdx = nullIdxs[i];
      if (nullIdx > lastNullIdx) {
        xi = nullIdx - 1;
        while (xi >= 0 && yVals[xi] == null)
          yVals[xi--] = null;
        xi = nullIdx + 1;
        while (xi < alignedLen && yVals[xi] == null)
          yVals[lastNullIdx = xi++] = null;
      }
    }
  }
  function join(tables, nullModes) {
    if (allHeadersSame(tables)) {
      let table = tables[0].slice();
      for (let i = 1;i < tables.length; i++)
        table.push(...tables[i].slice(1));
      if (!isAsc(table[0]))
        table = sortCols(table);
      return table;
    }
    let xVals = new Set;
    for (let ti = 0;ti < tables.length; ti++) {
      let t = tables[ti];
      let xs = t[0];
      let len = xs.length;
      for (let i = 0;i < len; i++)
        xVals.add(xs[i]);
    }
    let data = [Array.from(xVals).sort((a, b) => a - b)];
    let alignedLen = data[0].length;
    let xIdxs = new Map;
    for (let i = 0;i < alignedLen; i++)
      xIdxs.set(data[0][i], i);
    for (let ti = 0;ti < tables.length; ti++) {
      let t = tables[ti];
      let xs = t[0];
      for (let si = 1;si < t.length; si++) {
        let ys = t[si];
        let yVals = Array(alignedLen).fill(undefined);
        let nullMode = nullModes ? nullModes[ti][si] : NULL_RETAIN;
        let nullIdxs = [];
        for (let i = 0;i < ys.length; i++) {
          let yVal = ys[i];
          let alignedIdx = xIdxs.get(xs[i]);
          if (yVal === null) {
            if (nullMode != NULL_REMOVE) {
              yVals[alignedIdx] = yVal;
              if (nullMode == NULL_EXPAND)
                nullIdxs.push(alignedIdx);
            }
          } else
            yVals[alignedIdx] = yVal;
        }
        nullExpand(yVals, nullIdxs, alignedLen);
        data.push(yVals);
      }
    }
    return data;
  }
  var microTask = typeof queueMicrotask == "undefined" ? (fn) => Promise.resolve().then(fn) : queueMicrotask;
  function sortCols(table) {
    let head = table[0];
    let rlen = head.length;
    let idxs = Array(rlen);
    for (let i = 0;i < idxs.length; i++)
      idxs[i] = i;
    idxs.sort((i0, i1) => head[i0] - head[i1]);
    let table2 = [];
    for (let i = 0;i < table.length; i++) {
      let row = table[i];
      let row2 = Array(rlen);
      for (let j = 0;j < rlen; j++)
        row2[j] = row[idxs[j]];
      table2.push(row2);
    }
    return table2;
  }
  function allHeadersSame(tables) {
    let vals0 = tables[0][0];
    let len0 = vals0.length;
    for (let i = 1;i < tables.length; i++) {
      let vals1 = tables[i][0];
      if (vals1.length != len0)
        return false;
      if (vals1 != vals0) {
        for (let j = 0;j < len0; j++) {
          if (vals1[j] != vals0[j])
            return false;
        }
      }
    }
    return true;
  }
  function isAsc(vals, samples = 100) {
    const len = vals.length;
    if (len <= 1)
      return true;
    let firstIdx = 0;
    let lastIdx = len - 1;
    while (firstIdx <= lastIdx && vals[firstIdx] == null)
      firstIdx++;
    while (lastIdx >= firstIdx && vals[lastIdx] == null)
      lastIdx--;
    if (lastIdx <= firstIdx)
      return true;
    const stride = max(1, floor((lastIdx - firstIdx + 1) / samples));
    for (let prevVal = vals[firstIdx], i = firstIdx + stride;i <= lastIdx; i += stride) {
      const v = vals[i];
      if (v != null) {
        if (v <= prevVal)
          return false;
        prevVal = v;
      }
    }
    return true;
  }
  var months = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December"
  ];
  var days = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday"
  ];
  function slice3(str) {
    return str.slice(0, 3);
  }
  var days3 = days.map(slice3);
  var months3 = months.map(slice3);
  var engNames = {
    MMMM: months,
    MMM: months3,
    WWWW: days,
    WWW: days3
  };
  function zeroPad2(int) {
    return (int < 10 ? "0" : "") + int;
  }
  function zeroPad3(int) {
    return (int < 10 ? "00" : int < 100 ? "0" : "") + int;
  }
  var subs = {
    YYYY: (d) => d.getFullYear(),
    YY: (d) => (d.getFullYear() + "").slice(2),
    MMMM: (d, names) => names.MMMM[d.getMonth()],
    MMM: (d, names) => names.MMM[d.getMonth()],
    MM: (d) => zeroPad2(d.getMonth() + 1),
    M: (d) => d.getMonth() + 1,
    DD: (d) => zeroPad2(d.getDate()),
    D: (d) => d.getDate(),
    WWWW: (d, names) => names.WWWW[d.getDay()],
    WWW: (d, names) => names.WWW[d.getDay()],
    HH: (d) => zeroPad2(d.getHours()),
    H: (d) => d.getHours(),
    h: (d) => {
      let h = d.getHours();
      return h == 0 ? 12 : h > 12 ? h - 12 : h;
    },
    AA: (d) => d.getHours() >= 12 ? "PM" : "AM",
    aa: (d) => d.getHours() >= 12 ? "pm" : "am",
    a: (d) => d.getHours() >= 12 ? "p" : "a",
    mm: (d) => zeroPad2(d.getMinutes()),
    m: (d) => d.getMinutes(),
    ss: (d) => zeroPad2(d.getSeconds()),
    s: (d) => d.getSeconds(),
    fff: (d) => zeroPad3(d.getMilliseconds())
  };
  function fmtDate(tpl, names) {
    names = names || engNames;
    let parts = [];
    let R = /\{([a-z]+)\}|[^{]+/gi, m;
    while (m = R.exec(tpl))
      parts.push(m[0][0] == "{" ? subs[m[1]] : m[0]);
    return (d) => {
      let out = "";
      for (let i = 0;i < parts.length; i++)
        out += typeof parts[i] == "string" ? parts[i] : parts[i](d, names);
      return out;
    };
  }
  var localTz = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  function tzDate(date, tz) {
    let date2;
    if (tz == "UTC" || tz == "Etc/UTC")
      date2 = new Date(+date + date.getTimezoneOffset() * 60000);
    else if (tz == localTz)
      date2 = date;
    else {
      date2 = new Date(date.toLocaleString("en-US", { timeZone: tz }));
      date2.setMilliseconds(date.getMilliseconds());
    }
    return date2;
  }
  var onlyWhole = (v) => v % 1 == 0;
  var allMults = [1, 2, 2.5, 5];
  var decIncrs = genIncrs(10, -32, 0, allMults);
  var oneIncrs = genIncrs(10, 0, 32, allMults);
  var wholeIncrs = oneIncrs.filter(onlyWhole);
  var numIncrs = decIncrs.concat(oneIncrs);
  var NL = `
`;
  var yyyy = "{YYYY}";
  var NLyyyy = NL + yyyy;
  var md = "{M}/{D}";
  var NLmd = NL + md;
  var NLmdyy = NLmd + "/{YY}";
  var aa = "{aa}";
  var hmm = "{h}:{mm}";
  var hmmaa = hmm + aa;
  var NLhmmaa = NL + hmmaa;
  var ss = ":{ss}";
  var _ = null;
  function genTimeStuffs(ms) {
    let s = ms * 1000, m = s * 60, h = m * 60, d = h * 24, mo = d * 30, y = d * 365;
    let subSecIncrs = ms == 1 ? genIncrs(10, 0, 3, allMults).filter(onlyWhole) : genIncrs(10, -3, 0, allMults);
    let timeIncrs = subSecIncrs.concat([
      s,
      s * 5,
      s * 10,
      s * 15,
      s * 30,
      m,
      m * 5,
      m * 10,
      m * 15,
      m * 30,
      h,
      h * 2,
      h * 3,
      h * 4,
      h * 6,
      h * 8,
      h * 12,
      d,
      d * 2,
      d * 3,
      d * 4,
      d * 5,
      d * 6,
      d * 7,
      d * 8,
      d * 9,
      d * 10,
      d * 15,
      mo,
      mo * 2,
      mo * 3,
      mo * 4,
      mo * 6,
      y,
      y * 2,
      y * 5,
      y * 10,
      y * 25,
      y * 50,
      y * 100
    ]);
    const _timeAxisStamps = [
      [y, yyyy, _, _, _, _, _, _, 1],
      [d * 28, "{MMM}", NLyyyy, _, _, _, _, _, 1],
      [d, md, NLyyyy, _, _, _, _, _, 1],
      [h, "{h}" + aa, NLmdyy, _, NLmd, _, _, _, 1],
      [m, hmmaa, NLmdyy, _, NLmd, _, _, _, 1],
      [s, ss, NLmdyy + " " + hmmaa, _, NLmd + " " + hmmaa, _, NLhmmaa, _, 1],
      [ms, ss + ".{fff}", NLmdyy + " " + hmmaa, _, NLmd + " " + hmmaa, _, NLhmmaa, _, 1]
    ];
    function timeAxisSplits(tzDate) {
      return (self, axisIdx, scaleMin, scaleMax, foundIncr, foundSpace) => {
        let splits = [];
        let isYr = foundIncr >= y;
        let isMo = foundIncr >= mo && foundIncr < y;
        let minDate = tzDate(scaleMin);
        let minDateTs = roundDec(minDate * ms, 3);
        let minMin = mkDate(minDate.getFullYear(), isYr ? 0 : minDate.getMonth(), isMo || isYr ? 1 : minDate.getDate());
        let minMinTs = roundDec(minMin * ms, 3);
        if (isMo || isYr) {
          let moIncr = isMo ? foundIncr / mo : 0;
          let yrIncr = isYr ? foundIncr / y : 0;
          let split = minDateTs == minMinTs ? minDateTs : roundDec(mkDate(minMin.getFullYear() + yrIncr, minMin.getMonth() + moIncr, 1) * ms, 3);
          let splitDate = new Date(round(split / ms));
          let baseYear = splitDate.getFullYear();
          let baseMonth = splitDate.getMonth();
          for (let i = 0;split <= scaleMax; i++) {
            let next = mkDate(baseYear + yrIncr * i, baseMonth + moIncr * i, 1);
            let offs = next - tzDate(roundDec(next * ms, 3));
            split = roundDec((+next + offs) * ms, 3);
            if (split <= scaleMax)
              splits.push(split);
          }
        } else {
          let incr0 = foundIncr >= d ? d : foundIncr;
          let tzOffset = floor(scaleMin) - floor(minDateTs);
          let split = minMinTs + tzOffset + incrRoundUp(minDateTs - minMinTs, incr0);
          splits.push(split);
          let date0 = tzDate(split);
          let prevHour = date0.getHours() + date0.getMinutes() / m + date0.getSeconds() / h;
          let incrHours = foundIncr / h;
          let minSpace = self.axes[axisIdx]._space;
          let pctSpace = foundSpace / minSpace;
          while (true) {
            split = roundDec(split + foundIncr, ms == 1 ? 0 : 3);
            if (split > scaleMax)
              break;
            if (incrHours > 1) {
              let expectedHour = floor(roundDec(prevHour + incrHours, 6)) % 24;
              let splitDate = tzDate(split);
              let actualHour = splitDate.getHours();
              let dstShift = actualHour - expectedHour;
              if (dstShift > 1)
                dstShift = -1;
              split -= dstShift * h;
              prevHour = (prevHour + incrHours) % 24;
              let prevSplit = splits[splits.length - 1];
              let pctIncr = roundDec((split - prevSplit) / foundIncr, 3);
              if (pctIncr * pctSpace >= 0.7)
                splits.push(split);
            } else
              splits.push(split);
          }
        }
        return splits;
      };
    }
    return [
      timeIncrs,
      _timeAxisStamps,
      timeAxisSplits
    ];
  }
  var [timeIncrsMs, _timeAxisStampsMs, timeAxisSplitsMs] = genTimeStuffs(1);
  var [timeIncrsS, _timeAxisStampsS, timeAxisSplitsS] = genTimeStuffs(0.001);
  genIncrs(2, -53, 53, [1]);
  function timeAxisStamps(stampCfg, fmtDate) {
    return stampCfg.map((s) => s.map((v, i) => i == 0 || i == 8 || v == null ? v : fmtDate(i == 1 || s[8] == 0 ? v : s[1] + v)));
  }
  function timeAxisVals(tzDate, stamps) {
    return (self, splits, axisIdx, foundSpace, foundIncr) => {
      let s = stamps.find((s) => foundIncr >= s[0]) || stamps[stamps.length - 1];
      let prevYear;
      let prevMnth;
      let prevDate;
      let prevHour;
      let prevMins;
      let prevSecs;
      return splits.map((split) => {
        let date = tzDate(split);
        let newYear = date.getFullYear();
        let newMnth = date.getMonth();
        let newDate = date.getDate();
        let newHour = date.getHours();
        let newMins = date.getMinutes();
        let newSecs = date.getSeconds();
        let stamp = newYear != prevYear && s[2] || newMnth != prevMnth && s[3] || newDate != prevDate && s[4] || newHour != prevHour && s[5] || newMins != prevMins && s[6] || newSecs != prevSecs && s[7] || s[1];
        prevYear = newYear;
        prevMnth = newMnth;
        prevDate = newDate;
        prevHour = newHour;
        prevMins = newMins;
        prevSecs = newSecs;
        return stamp(date);
      });
    };
  }
  function timeAxisVal(tzDate, dateTpl) {
    let stamp = fmtDate(dateTpl);
    return (self, splits, axisIdx, foundSpace, foundIncr) => splits.map((split) => stamp(tzDate(split)));
  }
  function mkDate(y, m, d) {
    return new Date(y, m, d);
  }
  function timeSeriesStamp(stampCfg, fmtDate) {
    return fmtDate(stampCfg);
  }
  var _timeSeriesStamp = "{YYYY}-{MM}-{DD} {h}:{mm}{aa}";
  function timeSeriesVal(tzDate, stamp) {
    return (self, val, seriesIdx, dataIdx) => dataIdx == null ? LEGEND_DISP : stamp(tzDate(val));
  }
  function legendStroke(self, seriesIdx) {
    let s = self.series[seriesIdx];
    return s.width ? s.stroke(self, seriesIdx) : s.points.width ? s.points.stroke(self, seriesIdx) : null;
  }
  function legendFill(self, seriesIdx) {
    return self.series[seriesIdx].fill(self, seriesIdx);
  }
  var legendOpts = {
    show: true,
    live: true,
    isolate: false,
    mount: noop,
    markers: {
      show: true,
      width: 2,
      stroke: legendStroke,
      fill: legendFill,
      dash: "solid"
    },
    idx: null,
    idxs: null,
    values: []
  };
  function cursorPointShow(self, si) {
    let o = self.cursor.points;
    let pt = placeDiv();
    let size = o.size(self, si);
    setStylePx(pt, WIDTH, size);
    setStylePx(pt, HEIGHT, size);
    let mar = size / -2;
    setStylePx(pt, "marginLeft", mar);
    setStylePx(pt, "marginTop", mar);
    let width = o.width(self, si, size);
    width && setStylePx(pt, "borderWidth", width);
    return pt;
  }
  function cursorPointFill(self, si) {
    let sp = self.series[si].points;
    return sp._fill || sp._stroke;
  }
  function cursorPointStroke(self, si) {
    let sp = self.series[si].points;
    return sp._stroke || sp._fill;
  }
  function cursorPointSize(self, si) {
    let sp = self.series[si].points;
    return sp.size;
  }
  var moveTuple = [0, 0];
  function cursorMove(self, mouseLeft1, mouseTop1) {
    moveTuple[0] = mouseLeft1;
    moveTuple[1] = mouseTop1;
    return moveTuple;
  }
  function filtBtn0(self, targ, handle, onlyTarg = true) {
    return (e) => {
      e.button == 0 && (!onlyTarg || e.target == targ) && handle(e);
    };
  }
  function filtTarg(self, targ, handle, onlyTarg = true) {
    return (e) => {
      (!onlyTarg || e.target == targ) && handle(e);
    };
  }
  var cursorOpts = {
    show: true,
    x: true,
    y: true,
    lock: false,
    move: cursorMove,
    points: {
      one: false,
      show: cursorPointShow,
      size: cursorPointSize,
      width: 0,
      stroke: cursorPointStroke,
      fill: cursorPointFill
    },
    bind: {
      mousedown: filtBtn0,
      mouseup: filtBtn0,
      click: filtBtn0,
      dblclick: filtBtn0,
      mousemove: filtTarg,
      mouseleave: filtTarg,
      mouseenter: filtTarg
    },
    drag: {
      setScale: true,
      x: true,
      y: false,
      dist: 0,
      uni: null,
      click: (self, e) => {
        e.stopPropagation();
        e.stopImmediatePropagation();
      },
      _x: false,
      _y: false
    },
    focus: {
      dist: (self, seriesIdx, dataIdx, valPos, curPos) => valPos - curPos,
      prox: -1,
      bias: 0
    },
    hover: {
      skip: [undefined],
      prox: null,
      bias: 0
    },
    left: -10,
    top: -10,
    idx: null,
    dataIdx: null,
    idxs: null,
    event: null
  };
  var axisLines = {
    show: true,
    stroke: "rgba(0,0,0,0.07)",
    width: 2
  };
  var grid = assign({}, axisLines, {
    filter: retArg1
  });
  var ticks = assign({}, grid, {
    size: 10
  });
  var border = assign({}, axisLines, {
    show: false
  });
  var font = '12px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, "Noto Sans", sans-serif, "Apple Color Emoji", "Segoe UI Emoji", "Segoe UI Symbol", "Noto Color Emoji"';
  var labelFont = "bold " + font;
  var lineGap = 1.5;
  var xAxisOpts = {
    show: true,
    scale: "x",
    stroke: hexBlack,
    space: 50,
    gap: 5,
    alignTo: 1,
    size: 50,
    labelGap: 0,
    labelSize: 30,
    labelFont,
    side: 2,
    grid,
    ticks,
    border,
    font,
    lineGap,
    rotate: 0
  };
  var numSeriesLabel = "Value";
  var timeSeriesLabel = "Time";
  var xSeriesOpts = {
    show: true,
    scale: "x",
    auto: false,
    sorted: 1,
    min: inf,
    max: -inf,
    idxs: []
  };
  function numAxisVals(self, splits, axisIdx, foundSpace, foundIncr) {
    return splits.map((v) => v == null ? "" : fmtNum(v));
  }
  function numAxisSplits(self, axisIdx, scaleMin, scaleMax, foundIncr, foundSpace, forceMin) {
    let splits = [];
    let numDec = fixedDec.get(foundIncr) || 0;
    scaleMin = forceMin ? scaleMin : roundDec(incrRoundUp(scaleMin, foundIncr), numDec);
    for (let val = scaleMin;val <= scaleMax; val = roundDec(val + foundIncr, numDec))
      splits.push(Object.is(val, -0) ? 0 : val);
    return splits;
  }
  function logAxisSplits(self, axisIdx, scaleMin, scaleMax, foundIncr, foundSpace, forceMin) {
    const splits = [];
    const logBase = self.scales[self.axes[axisIdx].scale].log;
    const logFn = logBase == 10 ? log10 : log2;
    const exp = floor(logFn(scaleMin));
    foundIncr = pow(logBase, exp);
    if (logBase == 10)
      foundIncr = numIncrs[closestIdx(foundIncr, numIncrs)];
    let split = scaleMin;
    let nextMagIncr = foundIncr * logBase;
    if (logBase == 10)
      nextMagIncr = numIncrs[closestIdx(nextMagIncr, numIncrs)];
    do {
      splits.push(split);
      split = split + foundIncr;
      if (logBase == 10 && !fixedDec.has(split))
        split = roundDec(split, fixedDec.get(foundIncr));
      if (split >= nextMagIncr) {
        foundIncr = split;
        nextMagIncr = foundIncr * logBase;
        if (logBase == 10)
          nextMagIncr = numIncrs[closestIdx(nextMagIncr, numIncrs)];
      }
    } while (split <= scaleMax);
    return splits;
  }
  function asinhAxisSplits(self, axisIdx, scaleMin, scaleMax, foundIncr, foundSpace, forceMin) {
    let sc = self.scales[self.axes[axisIdx].scale];
    let linthresh = sc.asinh;
    let posSplits = scaleMax > linthresh ? logAxisSplits(self, axisIdx, max(linthresh, scaleMin), scaleMax, foundIncr) : [linthresh];
    let zero = scaleMax >= 0 && scaleMin <= 0 ? [0] : [];
    let negSplits = scaleMin < -linthresh ? logAxisSplits(self, axisIdx, max(linthresh, -scaleMax), -scaleMin, foundIncr) : [linthresh];
    return negSplits.reverse().map((v) => -v).concat(zero, posSplits);
  }
  var RE_ALL = /./;
  var RE_12357 = /[12357]/;
  var RE_125 = /[125]/;
  var RE_1 = /1/;
  var _filt = (splits, distr, re, keepMod) => splits.map((v, i) => distr == 4 && v == 0 || i % keepMod == 0 && re.test(v.toExponential()[v < 0 ? 1 : 0]) ? v : null);
  function log10AxisValsFilt(self, splits, axisIdx, foundSpace, foundIncr) {
    let axis = self.axes[axisIdx];
    let scaleKey = axis.scale;
    let sc = self.scales[scaleKey];
    let valToPos = self.valToPos;
    let minSpace = axis._space;
    let _10 = valToPos(10, scaleKey);
    let re = valToPos(9, scaleKey) - _10 >= minSpace ? RE_ALL : valToPos(7, scaleKey) - _10 >= minSpace ? RE_12357 : valToPos(5, scaleKey) - _10 >= minSpace ? RE_125 : RE_1;
    if (re == RE_1) {
      let magSpace = abs(valToPos(1, scaleKey) - _10);
      if (magSpace < minSpace)
        return _filt(splits.slice().reverse(), sc.distr, re, ceil(minSpace / magSpace)).reverse();
    }
    return _filt(splits, sc.distr, re, 1);
  }
  function log2AxisValsFilt(self, splits, axisIdx, foundSpace, foundIncr) {
    let axis = self.axes[axisIdx];
    let scaleKey = axis.scale;
    let minSpace = axis._space;
    let valToPos = self.valToPos;
    let magSpace = abs(valToPos(1, scaleKey) - valToPos(2, scaleKey));
    if (magSpace < minSpace)
      return _filt(splits.slice().reverse(), 3, RE_ALL, ceil(minSpace / magSpace)).reverse();
    return splits;
  }
  function numSeriesVal(self, val, seriesIdx, dataIdx) {
    return dataIdx == null ? LEGEND_DISP : val == null ? "" : fmtNum(val);
  }
  var yAxisOpts = {
    show: true,
    scale: "y",
    stroke: hexBlack,
    space: 30,
    gap: 5,
    alignTo: 1,
    size: 50,
    labelGap: 0,
    labelSize: 30,
    labelFont,
    side: 3,
    grid,
    ticks,
    border,
    font,
    lineGap,
    rotate: 0
  };
  function ptDia(width, mult) {
    let dia = 3 + (width || 1) * 2;
    return roundDec(dia * mult, 3);
  }
  function seriesPointsShow(self, si) {
    let { scale, idxs } = self.series[0];
    let xData = self._data[0];
    let p0 = self.valToPos(xData[idxs[0]], scale, true);
    let p1 = self.valToPos(xData[idxs[1]], scale, true);
    let dim = abs(p1 - p0);
    let s = self.series[si];
    let maxPts = dim / (s.points.space * pxRatio);
    return idxs[1] - idxs[0] <= maxPts;
  }
  var facet = {
    scale: null,
    auto: true,
    sorted: 0,
    min: inf,
    max: -inf
  };
  var gaps = (self, seriesIdx, idx0, idx1, nullGaps) => nullGaps;
  var xySeriesOpts = {
    show: true,
    auto: true,
    sorted: 0,
    gaps,
    alpha: 1,
    facets: [
      assign({}, facet, { scale: "x" }),
      assign({}, facet, { scale: "y" })
    ]
  };
  var ySeriesOpts = {
    scale: "y",
    auto: true,
    sorted: 0,
    show: true,
    spanGaps: false,
    gaps,
    alpha: 1,
    points: {
      show: seriesPointsShow,
      filter: null
    },
    values: null,
    min: inf,
    max: -inf,
    idxs: [],
    path: null,
    clip: null
  };
  function clampScale(self, val, scaleMin, scaleMax, scaleKey) {
    return scaleMin / 10;
  }
  var xScaleOpts = {
    time: FEAT_TIME,
    auto: true,
    distr: 1,
    log: 10,
    asinh: 1,
    min: null,
    max: null,
    dir: 1,
    ori: 0
  };
  var yScaleOpts = assign({}, xScaleOpts, {
    time: false,
    ori: 1
  });
  var syncs = {};
  function _sync(key, opts) {
    let s = syncs[key];
    if (!s) {
      s = {
        key,
        plots: [],
        sub(plot) {
          s.plots.push(plot);
        },
        unsub(plot) {
          s.plots = s.plots.filter((c) => c != plot);
        },
        pub(type, self, x, y, w, h, i) {
          for (let j = 0;j < s.plots.length; j++)
            s.plots[j] != self && s.plots[j].pub(type, self, x, y, w, h, i);
        }
      };
      if (key != null)
        syncs[key] = s;
    }
    return s;
  }
  var BAND_CLIP_FILL = 1 << 0;
  var BAND_CLIP_STROKE = 1 << 1;
  function orient(u, seriesIdx, cb) {
    const mode = u.mode;
    const series = u.series[seriesIdx];
    const data = mode == 2 ? u._data[seriesIdx] : u._data;
    const scales = u.scales;
    const bbox = u.bbox;
    let dx = data[0], dy = mode == 2 ? data[1] : data[seriesIdx], sx = mode == 2 ? scales[series.facets[0].scale] : scales[u.series[0].scale], sy = mode == 2 ? scales[series.facets[1].scale] : scales[series.scale], { left: l, top: t, width: w, height: h } = bbox, { valToPosH: H, valToPosV: V } = u;
    return sx.ori == 0 ? cb(series, dx, dy, sx, sy, H, V, l, t, w, h, moveToH, lineToH, rectH, arcH, bezierCurveToH) : cb(series, dx, dy, sx, sy, V, H, t, l, h, w, moveToV, lineToV, rectV, arcV, bezierCurveToV);
  }
  function bandFillClipDirs(self, seriesIdx) {
    let fillDir = 0;
    let clipDirs = 0;
    let bands = ifNull(self.bands, EMPTY_ARR);
    for (let i = 0;i < bands.length; i++) {
      let b = bands[i];
      if (b.series[0] == seriesIdx)
        fillDir = b.dir;
      else if (b.series[1] == seriesIdx) {
        if (b.dir == 1)
          clipDirs |= 1;
        else
          clipDirs |= 2;
      }
    }
    return [
      fillDir,
      clipDirs == 1 ? -1 : clipDirs == 2 ? 1 : clipDirs == 3 ? 2 : 0
    ];
  }
  function seriesFillTo(self, seriesIdx, dataMin, dataMax, bandFillDir) {
    let mode = self.mode;
    let series = self.series[seriesIdx];
    let scaleKey = mode == 2 ? series.facets[1].scale : series.scale;
    let scale = self.scales[scaleKey];
    return bandFillDir == -1 ? scale.min : bandFillDir == 1 ? scale.max : scale.distr == 3 ? scale.dir == 1 ? scale.min : scale.max : 0;
  }
  function clipBandLine(self, seriesIdx, idx0, idx1, strokePath, clipDir) {
    return orient(self, seriesIdx, (series, dataX, dataY, scaleX, scaleY, valToPosX, valToPosY, xOff, yOff, xDim, yDim) => {
      let pxRound = series.pxRound;
      const dir = scaleX.dir * (scaleX.ori == 0 ? 1 : -1);
      const lineTo = scaleX.ori == 0 ? lineToH : lineToV;
      let frIdx, toIdx;
      if (dir == 1) {
        frIdx = idx0;
        toIdx = idx1;
      } else {
        frIdx = idx1;
        toIdx = idx0;
      }
      let x0 = pxRound(valToPosX(dataX[frIdx], scaleX, xDim, xOff));
      let y0 = pxRound(valToPosY(dataY[frIdx], scaleY, yDim, yOff));
      let x1 = pxRound(valToPosX(dataX[toIdx], scaleX, xDim, xOff));
      let yLimit = pxRound(valToPosY(clipDir == 1 ? scaleY.max : scaleY.min, scaleY, yDim, yOff));
      let clip = new Path2D(strokePath);
      lineTo(clip, x1, yLimit);
      lineTo(clip, x0, yLimit);
      lineTo(clip, x0, y0);
      return clip;
    });
  }
  function clipGaps(gaps, ori, plotLft, plotTop, plotWid, plotHgt) {
    let clip = null;
    if (gaps.length > 0) {
      clip = new Path2D;
      const rect = ori == 0 ? rectH : rectV;
      let prevGapEnd = plotLft;
      for (let i = 0;i < gaps.length; i++) {
        let g = gaps[i];
        if (g[1] > g[0]) {
          let w = g[0] - prevGapEnd;
          w > 0 && rect(clip, prevGapEnd, plotTop, w, plotTop + plotHgt);
          prevGapEnd = g[1];
        }
      }
      let w = plotLft + plotWid - prevGapEnd;
      let maxStrokeWidth = 10;
      w > 0 && rect(clip, prevGapEnd, plotTop - maxStrokeWidth / 2, w, plotTop + plotHgt + maxStrokeWidth);
    }
    return clip;
  }
  function addGap(gaps, fromX, toX) {
    let prevGap = gaps[gaps.length - 1];
    if (prevGap && prevGap[0] == fromX)
      prevGap[1] = toX;
    else
      gaps.push([fromX, toX]);
  }
  function findGaps(xs, ys, idx0, idx1, dir, pixelForX, align) {
    let gaps = [];
    let len = xs.length;
    for (let i = dir == 1 ? idx0 : idx1;i >= idx0 && i <= idx1; i += dir) {
      let yVal = ys[i];
      if (yVal === null) {
        let fr = i, to = i;
        if (dir == 1) {
          while (++i <= idx1 && ys[i] === null)
            to = i;
        } else {
          while (--i >= idx0 && ys[i] === null)
            to = i;
        }
        let frPx = pixelForX(xs[fr]);
        let toPx = to == fr ? frPx : pixelForX(xs[to]);
        let fri2 = fr - dir;
        let frPx2 = align <= 0 && fri2 >= 0 && fri2 < len ? pixelForX(xs[fri2]) : frPx;
        frPx = frPx2;
        let toi2 = to + dir;
        let toPx2 = align >= 0 && toi2 >= 0 && toi2 < len ? pixelForX(xs[toi2]) : toPx;
        toPx = toPx2;
        if (toPx >= frPx)
          gaps.push([frPx, toPx]);
      }
    }
    return gaps;
  }
  function pxRoundGen(pxAlign) {
    return pxAlign == 0 ? retArg0 : pxAlign == 1 ? round : (v) => incrRound(v, pxAlign);
  }
  function rect(ori) {
    let moveTo = ori == 0 ? moveToH : moveToV;
    let arcTo = ori == 0 ? (p, x1, y1, x2, y2, r) => {
      p.arcTo(x1, y1, x2, y2, r);
    } : (p, y1, x1, y2, x2, r) => {
      p.arcTo(x1, y1, x2, y2, r);
    };
    let rect = ori == 0 ? (p, x, y, w, h) => {
      p.rect(x, y, w, h);
    } : (p, y, x, h, w) => {
      p.rect(x, y, w, h);
    };
    return (p, x, y, w, h, endRad = 0, baseRad = 0) => {
      if (endRad == 0 && baseRad == 0)
        rect(p, x, y, w, h);
      else {
        endRad = min(endRad, w / 2, h / 2);
        baseRad = min(baseRad, w / 2, h / 2);
        moveTo(p, x + endRad, y);
        arcTo(p, x + w, y, x + w, y + h, endRad);
        arcTo(p, x + w, y + h, x, y + h, baseRad);
        arcTo(p, x, y + h, x, y, baseRad);
        arcTo(p, x, y, x + w, y, endRad);
        p.closePath();
      }
    };
  }
  var moveToH = (p, x, y) => {
    p.moveTo(x, y);
  };
  var moveToV = (p, y, x) => {
    p.moveTo(x, y);
  };
  var lineToH = (p, x, y) => {
    p.lineTo(x, y);
  };
  var lineToV = (p, y, x) => {
    p.lineTo(x, y);
  };
  var rectH = rect(0);
  var rectV = rect(1);
  var arcH = (p, x, y, r, startAngle, endAngle) => {
    p.arc(x, y, r, startAngle, endAngle);
  };
  var arcV = (p, y, x, r, startAngle, endAngle) => {
    p.arc(x, y, r, startAngle, endAngle);
  };
  var bezierCurveToH = (p, bp1x, bp1y, bp2x, bp2y, p2x, p2y) => {
    p.bezierCurveTo(bp1x, bp1y, bp2x, bp2y, p2x, p2y);
  };
  var bezierCurveToV = (p, bp1y, bp1x, bp2y, bp2x, p2y, p2x) => {
    p.bezierCurveTo(bp1x, bp1y, bp2x, bp2y, p2x, p2y);
  };
  function points(opts) {
    return (u, seriesIdx, idx0, idx1, filtIdxs) => {
      return orient(u, seriesIdx, (series, dataX, dataY, scaleX, scaleY, valToPosX, valToPosY, xOff, yOff, xDim, yDim) => {
        let { pxRound, points } = series;
        let moveTo, arc;
        if (scaleX.ori == 0) {
          moveTo = moveToH;
          arc = arcH;
        } else {
          moveTo = moveToV;
          arc = arcV;
        }
        const width = roundDec(points.width * pxRatio, 3);
        let rad = (points.size - points.width) / 2 * pxRatio;
        let dia = roundDec(rad * 2, 3);
        let fill = new Path2D;
        let clip = new Path2D;
        let { left: lft, top, width: wid, height: hgt } = u.bbox;
        rectH(clip, lft - dia, top - dia, wid + dia * 2, hgt + dia * 2);
        const drawPoint = (pi) => {
          if (dataY[pi] != null) {
            let x = pxRound(valToPosX(dataX[pi], scaleX, xDim, xOff));
            let y = pxRound(valToPosY(dataY[pi], scaleY, yDim, yOff));
            moveTo(fill, x + rad, y);
            arc(fill, x, y, rad, 0, PI * 2);
          }
        };
        if (filtIdxs)
          filtIdxs.forEach(drawPoint);
        else {
          for (let pi = idx0;pi <= idx1; pi++)
            drawPoint(pi);
        }
        return {
          stroke: width > 0 ? fill : null,
          fill,
          clip,
          flags: BAND_CLIP_FILL | BAND_CLIP_STROKE
        };
      });
    };
  }
  function _drawAcc(lineTo) {
    return (stroke, accX, minY, maxY, inY, outY) => {
      if (minY != maxY) {
        if (inY != minY && outY != minY)
          lineTo(stroke, accX, minY);
        if (inY != maxY && outY != maxY)
          lineTo(stroke, accX, maxY);
        lineTo(stroke, accX, outY);
      }
    };
  }
  var drawAccH = _drawAcc(lineToH);
  var drawAccV = _drawAcc(lineToV);
  function linear(opts) {
    const alignGaps = ifNull(opts?.alignGaps, 0);
    return (u, seriesIdx, idx0, idx1) => {
      return orient(u, seriesIdx, (series, dataX, dataY, scaleX, scaleY, valToPosX, valToPosY, xOff, yOff, xDim, yDim) => {
        [idx0, idx1] = nonNullIdxs(dataY, idx0, idx1);
        let pxRound = series.pxRound;
        let pixelForX = (val) => pxRound(valToPosX(val, scaleX, xDim, xOff));
        let pixelForY = (val) => pxRound(valToPosY(val, scaleY, yDim, yOff));
        let lineTo, drawAcc;
        if (scaleX.ori == 0) {
          lineTo = lineToH;
          drawAcc = drawAccH;
        } else {
          lineTo = lineToV;
          drawAcc = drawAccV;
        }
        const dir = scaleX.dir * (scaleX.ori == 0 ? 1 : -1);
        const _paths = { stroke: new Path2D, fill: null, clip: null, band: null, gaps: null, flags: BAND_CLIP_FILL };
        const stroke = _paths.stroke;
        let hasGap = false;
        const decimate = idx1 - idx0 >= xDim * 4;
        if (decimate) {
          let xForPixel = (pos) => u.posToVal(pos, scaleX.key, true);
          let minY = null, maxY = null, inY, outY, drawnAtX;
          let accX = pixelForX(dataX[dir == 1 ? idx0 : idx1]);
          let idx0px = pixelForX(dataX[idx0]);
          let idx1px = pixelForX(dataX[idx1]);
          let nextAccXVal = xForPixel(dir == 1 ? idx0px + 1 : idx1px - 1);
          for (let i = dir == 1 ? idx0 : idx1;i >= idx0 && i <= idx1; i += dir) {
            let xVal = dataX[i];
            let reuseAccX = dir == 1 ? xVal < nextAccXVal : xVal > nextAccXVal;
            let x = reuseAccX ? accX : pixelForX(xVal);
            let yVal = dataY[i];
            if (x == accX) {
              if (yVal != null) {
                outY = yVal;
                if (minY == null) {
                  lineTo(stroke, x, pixelForY(outY));
                  inY = minY = maxY = outY;
                } else {
                  if (outY < minY)
                    minY = outY;
                  else if (outY > maxY)
                    maxY = outY;
                }
              } else {
                if (yVal === null)
                  hasGap = true;
              }
            } else {
              if (minY != null)
                drawAcc(stroke, accX, pixelForY(minY), pixelForY(maxY), pixelForY(inY), pixelForY(outY));
              if (yVal != null) {
                outY = yVal;
                lineTo(stroke, x, pixelForY(outY));
                minY = maxY = inY = outY;
              } else {
                minY = maxY = null;
                if (yVal === null)
                  hasGap = true;
              }
              accX = x;
              nextAccXVal = xForPixel(accX + dir);
            }
          }
          if (minY != null && minY != maxY && drawnAtX != accX)
            drawAcc(stroke, accX, pixelForY(minY), pixelForY(maxY), pixelForY(inY), pixelForY(outY));
        } else {
          for (let i = dir == 1 ? idx0 : idx1;i >= idx0 && i <= idx1; i += dir) {
            let yVal = dataY[i];
            if (yVal === null)
              hasGap = true;
            else if (yVal != null)
              lineTo(stroke, pixelForX(dataX[i]), pixelForY(yVal));
          }
        }
        let [bandFillDir, bandClipDir] = bandFillClipDirs(u, seriesIdx);
        if (series.fill != null || bandFillDir != 0) {
          let fill = _paths.fill = new Path2D(stroke);
          let fillToVal = series.fillTo(u, seriesIdx, series.min, series.max, bandFillDir);
          let fillToY = pixelForY(fillToVal);
          let frX = pixelForX(dataX[idx0]);
          let toX = pixelForX(dataX[idx1]);
          if (dir == -1)
            [toX, frX] = [frX, toX];
          lineTo(fill, toX, fillToY);
          lineTo(fill, frX, fillToY);
        }
        if (!series.spanGaps) {
          let gaps = [];
          hasGap && gaps.push(...findGaps(dataX, dataY, idx0, idx1, dir, pixelForX, alignGaps));
          _paths.gaps = gaps = series.gaps(u, seriesIdx, idx0, idx1, gaps);
          _paths.clip = clipGaps(gaps, scaleX.ori, xOff, yOff, xDim, yDim);
        }
        if (bandClipDir != 0) {
          _paths.band = bandClipDir == 2 ? [
            clipBandLine(u, seriesIdx, idx0, idx1, stroke, -1),
            clipBandLine(u, seriesIdx, idx0, idx1, stroke, 1)
          ] : clipBandLine(u, seriesIdx, idx0, idx1, stroke, bandClipDir);
        }
        return _paths;
      });
    };
  }
  function stepped(opts) {
    const align = ifNull(opts.align, 1);
    const ascDesc = ifNull(opts.ascDesc, false);
    const alignGaps = ifNull(opts.alignGaps, 0);
    const extend = ifNull(opts.extend, false);
    return (u, seriesIdx, idx0, idx1) => {
      return orient(u, seriesIdx, (series, dataX, dataY, scaleX, scaleY, valToPosX, valToPosY, xOff, yOff, xDim, yDim) => {
        [idx0, idx1] = nonNullIdxs(dataY, idx0, idx1);
        let pxRound = series.pxRound;
        let { left, width } = u.bbox;
        let pixelForX = (val) => pxRound(valToPosX(val, scaleX, xDim, xOff));
        let pixelForY = (val) => pxRound(valToPosY(val, scaleY, yDim, yOff));
        let lineTo = scaleX.ori == 0 ? lineToH : lineToV;
        const _paths = { stroke: new Path2D, fill: null, clip: null, band: null, gaps: null, flags: BAND_CLIP_FILL };
        const stroke = _paths.stroke;
        const dir = scaleX.dir * (scaleX.ori == 0 ? 1 : -1);
        let prevYPos = pixelForY(dataY[dir == 1 ? idx0 : idx1]);
        let firstXPos = pixelForX(dataX[dir == 1 ? idx0 : idx1]);
        let prevXPos = firstXPos;
        let firstXPosExt = firstXPos;
        if (extend && align == -1) {
          firstXPosExt = left;
          lineTo(stroke, firstXPosExt, prevYPos);
        }
        lineTo(stroke, firstXPos, prevYPos);
        for (let i = dir == 1 ? idx0 : idx1;i >= idx0 && i <= idx1; i += dir) {
          let yVal1 = dataY[i];
          if (yVal1 == null)
            continue;
          let x1 = pixelForX(dataX[i]);
          let y1 = pixelForY(yVal1);
          if (align == 1)
            lineTo(stroke, x1, prevYPos);
          else
            lineTo(stroke, prevXPos, y1);
          lineTo(stroke, x1, y1);
          prevYPos = y1;
          prevXPos = x1;
        }
        let prevXPosExt = prevXPos;
        if (extend && align == 1) {
          prevXPosExt = left + width;
          lineTo(stroke, prevXPosExt, prevYPos);
        }
        let [bandFillDir, bandClipDir] = bandFillClipDirs(u, seriesIdx);
        if (series.fill != null || bandFillDir != 0) {
          let fill = _paths.fill = new Path2D(stroke);
          let fillTo = series.fillTo(u, seriesIdx, series.min, series.max, bandFillDir);
          let fillToY = pixelForY(fillTo);
          lineTo(fill, prevXPosExt, fillToY);
          lineTo(fill, firstXPosExt, fillToY);
        }
        if (!series.spanGaps) {
          let gaps = [];
          gaps.push(...findGaps(dataX, dataY, idx0, idx1, dir, pixelForX, alignGaps));
          let halfStroke = series.width * pxRatio / 2;
          let startsOffset = ascDesc || align == 1 ? halfStroke : -halfStroke;
          let endsOffset = ascDesc || align == -1 ? -halfStroke : halfStroke;
          gaps.forEach((g) => {
            g[0] += startsOffset;
            g[1] += endsOffset;
          });
          _paths.gaps = gaps = series.gaps(u, seriesIdx, idx0, idx1, gaps);
          _paths.clip = clipGaps(gaps, scaleX.ori, xOff, yOff, xDim, yDim);
        }
        if (bandClipDir != 0) {
          _paths.band = bandClipDir == 2 ? [
            clipBandLine(u, seriesIdx, idx0, idx1, stroke, -1),
            clipBandLine(u, seriesIdx, idx0, idx1, stroke, 1)
          ] : clipBandLine(u, seriesIdx, idx0, idx1, stroke, bandClipDir);
        }
        return _paths;
      });
    };
  }
  function findColWidth(dataX, dataY, valToPosX, scaleX, xDim, xOff, colWid = inf) {
    if (dataX.length > 1) {
      let prevIdx = null;
      for (let i = 0, minDelta = Infinity;i < dataX.length; i++) {
        if (dataY[i] !== undefined) {
          if (prevIdx != null) {
            let delta = abs(dataX[i] - dataX[prevIdx]);
            if (delta < minDelta) {
              minDelta = delta;
              colWid = abs(valToPosX(dataX[i], scaleX, xDim, xOff) - valToPosX(dataX[prevIdx], scaleX, xDim, xOff));
            }
          }
          prevIdx = i;
        }
      }
    }
    return colWid;
  }
  function bars(opts) {
    opts = opts || EMPTY_OBJ;
    const size = ifNull(opts.size, [0.6, inf, 1]);
    const align = opts.align || 0;
    const _extraGap = opts.gap || 0;
    let ro = opts.radius;
    ro = ro == null ? [0, 0] : typeof ro == "number" ? [ro, 0] : ro;
    const radiusFn = fnOrSelf(ro);
    const gapFactor = 1 - size[0];
    const _maxWidth = ifNull(size[1], inf);
    const _minWidth = ifNull(size[2], 1);
    const disp = ifNull(opts.disp, EMPTY_OBJ);
    const _each = ifNull(opts.each, (_) => {});
    const { fill: dispFills, stroke: dispStrokes } = disp;
    return (u, seriesIdx, idx0, idx1) => {
      return orient(u, seriesIdx, (series, dataX, dataY, scaleX, scaleY, valToPosX, valToPosY, xOff, yOff, xDim, yDim) => {
        let pxRound = series.pxRound;
        let _align = align;
        let extraGap = _extraGap * pxRatio;
        let maxWidth = _maxWidth * pxRatio;
        let minWidth = _minWidth * pxRatio;
        let valRadius, baseRadius;
        if (scaleX.ori == 0)
          [valRadius, baseRadius] = radiusFn(u, seriesIdx);
        else
          [baseRadius, valRadius] = radiusFn(u, seriesIdx);
        const _dirX = scaleX.dir * (scaleX.ori == 0 ? 1 : -1);
        let rect = scaleX.ori == 0 ? rectH : rectV;
        let each = scaleX.ori == 0 ? _each : (u, seriesIdx, i, top, lft, hgt, wid) => {
          _each(u, seriesIdx, i, lft, top, wid, hgt);
        };
        let band = ifNull(u.bands, EMPTY_ARR).find((b) => b.series[0] == seriesIdx);
        let fillDir = band != null ? band.dir : 0;
        let fillTo = series.fillTo(u, seriesIdx, series.min, series.max, fillDir);
        let fillToY = pxRound(valToPosY(fillTo, scaleY, yDim, yOff));
        let xShift, barWid, fullGap, colWid = xDim;
        let strokeWidth = pxRound(series.width * pxRatio);
        let multiPath = false;
        let fillColors = null;
        let fillPaths = null;
        let strokeColors = null;
        let strokePaths = null;
        if (dispFills != null && (strokeWidth == 0 || dispStrokes != null)) {
          multiPath = true;
          fillColors = dispFills.values(u, seriesIdx, idx0, idx1);
          fillPaths = new Map;
          new Set(fillColors).forEach((color) => {
            if (color != null)
              fillPaths.set(color, new Path2D);
          });
          if (strokeWidth > 0) {
            strokeColors = dispStrokes.values(u, seriesIdx, idx0, idx1);
            strokePaths = new Map;
            new Set(strokeColors).forEach((color) => {
              if (color != null)
                strokePaths.set(color, new Path2D);
            });
          }
        }
        let { x0, size } = disp;
        if (x0 != null && size != null) {
          _align = 1;
          dataX = x0.values(u, seriesIdx, idx0, idx1);
          if (x0.unit == 2)
            dataX = dataX.map((pct) => u.posToVal(xOff + pct * xDim, scaleX.key, true));
          let sizes = size.values(u, seriesIdx, idx0, idx1);
          if (size.unit == 2)
            barWid = sizes[0] * xDim;
          else
            barWid = valToPosX(sizes[0], scaleX, xDim, xOff) - valToPosX(0, scaleX, xDim, xOff);
          colWid = findColWidth(dataX, dataY, valToPosX, scaleX, xDim, xOff, colWid);
          let gapWid = colWid - barWid;
          fullGap = gapWid + extraGap;
        } else {
          colWid = findColWidth(dataX, dataY, valToPosX, scaleX, xDim, xOff, colWid);
          let gapWid = colWid * gapFactor;
          fullGap = gapWid + extraGap;
          barWid = colWid - fullGap;
        }
        if (fullGap < 1)
          fullGap = 0;
        if (strokeWidth >= barWid / 2)
          strokeWidth = 0;
        if (fullGap < 5)
          pxRound = retArg0;
        let insetStroke = fullGap > 0;
        let rawBarWid = colWid - fullGap - (insetStroke ? strokeWidth : 0);
        barWid = pxRound(clamp(rawBarWid, minWidth, maxWidth));
        xShift = (_align == 0 ? barWid / 2 : _align == _dirX ? 0 : barWid) - _align * _dirX * ((_align == 0 ? extraGap / 2 : 0) + (insetStroke ? strokeWidth / 2 : 0));
        const _paths = { stroke: null, fill: null, clip: null, band: null, gaps: null, flags: 0 };
        const stroke = multiPath ? null : new Path2D;
        let dataY0 = null;
        if (band != null)
          dataY0 = u.data[band.series[1]];
        else {
          let { y0, y1 } = disp;
          if (y0 != null && y1 != null) {
            dataY = y1.values(u, seriesIdx, idx0, idx1);
            dataY0 = y0.values(u, seriesIdx, idx0, idx1);
          }
        }
        let radVal = valRadius * barWid;
        let radBase = baseRadius * barWid;
        for (let i = _dirX == 1 ? idx0 : idx1;i >= idx0 && i <= idx1; i += _dirX) {
          let yVal = dataY[i];
          if (yVal == null)
            continue;
          if (dataY0 != null) {
            let yVal0 = dataY0[i] ?? 0;
            if (yVal - yVal0 == 0)
              continue;
            fillToY = valToPosY(yVal0, scaleY, yDim, yOff);
          }
          let xVal = scaleX.distr != 2 || disp != null ? dataX[i] : i;
          let xPos = valToPosX(xVal, scaleX, xDim, xOff);
          let yPos = valToPosY(ifNull(yVal, fillTo), scaleY, yDim, yOff);
          let lft = pxRound(xPos - xShift);
          let btm = pxRound(max(yPos, fillToY));
          let top = pxRound(min(yPos, fillToY));
          let barHgt = btm - top;
          if (yVal != null) {
            let rv = yVal < 0 ? radBase : radVal;
            let rb = yVal < 0 ? radVal : radBase;
            if (multiPath) {
              if (strokeWidth > 0 && strokeColors[i] != null)
                rect(strokePaths.get(strokeColors[i]), lft, top + floor(strokeWidth / 2), barWid, max(0, barHgt - strokeWidth), rv, rb);
              if (fillColors[i] != null)
                rect(fillPaths.get(fillColors[i]), lft, top + floor(strokeWidth / 2), barWid, max(0, barHgt - strokeWidth), rv, rb);
            } else
              rect(stroke, lft, top + floor(strokeWidth / 2), barWid, max(0, barHgt - strokeWidth), rv, rb);
            each(u, seriesIdx, i, lft - strokeWidth / 2, top, barWid + strokeWidth, barHgt);
          }
        }
        if (strokeWidth > 0)
          _paths.stroke = multiPath ? strokePaths : stroke;
        else if (!multiPath) {
          _paths._fill = series.width == 0 ? series._fill : series._stroke ?? series._fill;
          _paths.width = 0;
        }
        _paths.fill = multiPath ? fillPaths : stroke;
        return _paths;
      });
    };
  }
  function splineInterp(interp, opts) {
    const alignGaps = ifNull(opts?.alignGaps, 0);
    return (u, seriesIdx, idx0, idx1) => {
      return orient(u, seriesIdx, (series, dataX, dataY, scaleX, scaleY, valToPosX, valToPosY, xOff, yOff, xDim, yDim) => {
        [idx0, idx1] = nonNullIdxs(dataY, idx0, idx1);
        let pxRound = series.pxRound;
        let pixelForX = (val) => pxRound(valToPosX(val, scaleX, xDim, xOff));
        let pixelForY = (val) => pxRound(valToPosY(val, scaleY, yDim, yOff));
        let moveTo, bezierCurveTo, lineTo;
        if (scaleX.ori == 0) {
          moveTo = moveToH;
          lineTo = lineToH;
          bezierCurveTo = bezierCurveToH;
        } else {
          moveTo = moveToV;
          lineTo = lineToV;
          bezierCurveTo = bezierCurveToV;
        }
        const dir = scaleX.dir * (scaleX.ori == 0 ? 1 : -1);
        let firstXPos = pixelForX(dataX[dir == 1 ? idx0 : idx1]);
        let prevXPos = firstXPos;
        let xCoords = [];
        let yCoords = [];
        for (let i = dir == 1 ? idx0 : idx1;i >= idx0 && i <= idx1; i += dir) {
          let yVal = dataY[i];
          if (yVal != null) {
            let xVal = dataX[i];
            let xPos = pixelForX(xVal);
            xCoords.push(prevXPos = xPos);
            yCoords.push(pixelForY(dataY[i]));
          }
        }
        const _paths = { stroke: interp(xCoords, yCoords, moveTo, lineTo, bezierCurveTo, pxRound), fill: null, clip: null, band: null, gaps: null, flags: BAND_CLIP_FILL };
        const stroke = _paths.stroke;
        let [bandFillDir, bandClipDir] = bandFillClipDirs(u, seriesIdx);
        if (series.fill != null || bandFillDir != 0) {
          let fill = _paths.fill = new Path2D(stroke);
          let fillTo = series.fillTo(u, seriesIdx, series.min, series.max, bandFillDir);
          let fillToY = pixelForY(fillTo);
          lineTo(fill, prevXPos, fillToY);
          lineTo(fill, firstXPos, fillToY);
        }
        if (!series.spanGaps) {
          let gaps = [];
          gaps.push(...findGaps(dataX, dataY, idx0, idx1, dir, pixelForX, alignGaps));
          _paths.gaps = gaps = series.gaps(u, seriesIdx, idx0, idx1, gaps);
          _paths.clip = clipGaps(gaps, scaleX.ori, xOff, yOff, xDim, yDim);
        }
        if (bandClipDir != 0) {
          _paths.band = bandClipDir == 2 ? [
            clipBandLine(u, seriesIdx, idx0, idx1, stroke, -1),
            clipBandLine(u, seriesIdx, idx0, idx1, stroke, 1)
          ] : clipBandLine(u, seriesIdx, idx0, idx1, stroke, bandClipDir);
        }
        return _paths;
      });
    };
  }
  function monotoneCubic(opts) {
    return splineInterp(_monotoneCubic, opts);
  }
  function _monotoneCubic(xs, ys, moveTo, lineTo, bezierCurveTo, pxRound) {
    const n = xs.length;
    if (n < 2)
      return null;
    const path = new Path2D;
    moveTo(path, xs[0], ys[0]);
    if (n == 2)
      lineTo(path, xs[1], ys[1]);
    else {
      let ms = Array(n), ds = Array(n - 1), dys = Array(n - 1), dxs = Array(n - 1);
      for (let i = 0;i < n - 1; i++) {
        dys[i] = ys[i + 1] - ys[i];
        dxs[i] = xs[i + 1] - xs[i];
        ds[i] = dys[i] / dxs[i];
      }
      ms[0] = ds[0];
      for (let i = 1;i < n - 1; i++) {
        if (ds[i] === 0 || ds[i - 1] === 0 || ds[i - 1] > 0 !== ds[i] > 0)
          ms[i] = 0;
        else {
          ms[i] = 3 * (dxs[i - 1] + dxs[i]) / ((2 * dxs[i] + dxs[i - 1]) / ds[i - 1] + (dxs[i] + 2 * dxs[i - 1]) / ds[i]);
          if (!isFinite(ms[i]))
            ms[i] = 0;
        }
      }
      ms[n - 1] = ds[n - 2];
      for (let i = 0;i < n - 1; i++) {
        bezierCurveTo(path, xs[i] + dxs[i] / 3, ys[i] + ms[i] * dxs[i] / 3, xs[i + 1] - dxs[i] / 3, ys[i + 1] - ms[i + 1] * dxs[i] / 3, xs[i + 1], ys[i + 1]);
      }
    }
    return path;
  }
  var cursorPlots = new Set;
  function invalidateRects() {
    for (let u of cursorPlots)
      u.syncRect(true);
  }
  if (domEnv) {
    on(resize, win, invalidateRects);
    on(scroll, win, invalidateRects, true);
    on(dppxchange, win, () => {
      uPlot.pxRatio = pxRatio;
    });
  }
  var linearPath = linear();
  var pointsPath = points();
  function setDefaults(d, xo, yo, initY) {
    let d2 = initY ? [d[0], d[1]].concat(d.slice(2)) : [d[0]].concat(d.slice(1));
    return d2.map((o, i) => setDefault(o, i, xo, yo));
  }
  function setDefaults2(d, xyo) {
    return d.map((o, i) => i == 0 ? {} : assign({}, xyo, o));
  }
  function setDefault(o, i, xo, yo) {
    return assign({}, i == 0 ? xo : yo, o);
  }
  function snapNumX(self, dataMin, dataMax) {
    return dataMin == null ? nullNullTuple : [dataMin, dataMax];
  }
  var snapTimeX = snapNumX;
  function snapNumY(self, dataMin, dataMax) {
    return dataMin == null ? nullNullTuple : rangeNum(dataMin, dataMax, rangePad, true);
  }
  function snapLogY(self, dataMin, dataMax, scale) {
    return dataMin == null ? nullNullTuple : rangeLog(dataMin, dataMax, self.scales[scale].log, false);
  }
  var snapLogX = snapLogY;
  function snapAsinhY(self, dataMin, dataMax, scale) {
    return dataMin == null ? nullNullTuple : rangeAsinh(dataMin, dataMax, self.scales[scale].log, false);
  }
  var snapAsinhX = snapAsinhY;
  function findIncr(minVal, maxVal, incrs, dim, minSpace) {
    let intDigits = max(numIntDigits(minVal), numIntDigits(maxVal));
    let delta = maxVal - minVal;
    let incrIdx = closestIdx(minSpace / dim * delta, incrs);
    do {
      let foundIncr = incrs[incrIdx];
      let foundSpace = dim * foundIncr / delta;
      if (foundSpace >= minSpace && intDigits + (foundIncr < 5 ? fixedDec.get(foundIncr) : 0) <= 17)
        return [foundIncr, foundSpace];
    } while (++incrIdx < incrs.length);
    return [0, 0];
  }
  function pxRatioFont(font) {
    let fontSize, fontSizeCss;
    font = font.replace(/(\d+)px/, (m, p1) => (fontSize = round((fontSizeCss = +p1) * pxRatio)) + "px");
    return [font, fontSize, fontSizeCss];
  }
  function syncFontSize(axis) {
    if (axis.show) {
      [axis.font, axis.labelFont].forEach((f) => {
        let size = roundDec(f[2] * pxRatio, 1);
        f[0] = f[0].replace(/[0-9.]+px/, size + "px");
        f[1] = size;
      });
    }
  }
  function uPlot(opts, data, then) {
    const self = {
      mode: ifNull(opts.mode, 1)
    };
    const mode = self.mode;
    function getHPos(val, scale, dim, off) {
      let pct = scale.valToPct(val);
      return off + dim * (scale.dir == -1 ? 1 - pct : pct);
    }
    function getVPos(val, scale, dim, off) {
      let pct = scale.valToPct(val);
      return off + dim * (scale.dir == -1 ? pct : 1 - pct);
    }
    function getPos(val, scale, dim, off) {
      return scale.ori == 0 ? getHPos(val, scale, dim, off) : getVPos(val, scale, dim, off);
    }
    self.valToPosH = getHPos;
    self.valToPosV = getVPos;
    let ready = false;
    self.status = 0;
    const root = self.root = placeDiv(UPLOT);
    if (opts.id != null)
      root.id = opts.id;
    addClass(root, opts.class);
    if (opts.title) {
      let title = placeDiv(TITLE, root);
      title.textContent = opts.title;
    }
    const can = placeTag("canvas");
    const ctx = self.ctx = can.getContext("2d");
    const wrap = placeDiv(WRAP, root);
    on("click", wrap, (e) => {
      if (e.target === over) {
        let didDrag = mouseLeft1 != mouseLeft0 || mouseTop1 != mouseTop0;
        didDrag && drag.click(self, e);
      }
    }, true);
    const under = self.under = placeDiv(UNDER, wrap);
    wrap.appendChild(can);
    const over = self.over = placeDiv(OVER, wrap);
    opts = copy(opts);
    const pxAlign = +ifNull(opts.pxAlign, 1);
    const pxRound = pxRoundGen(pxAlign);
    (opts.plugins || []).forEach((p) => {
      if (p.opts)
        opts = p.opts(self, opts) || opts;
    });
    const ms = opts.ms || 0.001;
    const series = self.series = mode == 1 ? setDefaults(opts.series || [], xSeriesOpts, ySeriesOpts, false) : setDefaults2(opts.series || [null], xySeriesOpts);
    const axes = self.axes = setDefaults(opts.axes || [], xAxisOpts, yAxisOpts, true);
    const scales = self.scales = {};
    const bands = self.bands = opts.bands || [];
    bands.forEach((b) => {
      b.fill = fnOrSelf(b.fill || null);
      b.dir = ifNull(b.dir, -1);
    });
    const xScaleKey = mode == 2 ? series[1].facets[0].scale : series[0].scale;
    const drawOrderMap = {
      axes: drawAxesGrid,
      series: drawSeries
    };
    const drawOrder = (opts.drawOrder || ["axes", "series"]).map((key) => drawOrderMap[key]);
    function initValToPct(sc) {
      const getVal = sc.distr == 3 ? (val) => log10(val > 0 ? val : sc.clamp(self, val, sc.min, sc.max, sc.key)) : sc.distr == 4 ? (val) => asinh(val, sc.asinh) : sc.distr == 100 ? (val) => sc.fwd(val) : (val) => val;
      return (val) => {
        let _val = getVal(val);
        let { _min, _max } = sc;
        let delta = _max - _min;
        return (_val - _min) / delta;
      };
    }
    function initScale(scaleKey) {
      let sc = scales[scaleKey];
      if (sc == null) {
        let scaleOpts = (opts.scales || EMPTY_OBJ)[scaleKey] || EMPTY_OBJ;
        if (scaleOpts.from != null) {
          initScale(scaleOpts.from);
          let sc = assign({}, scales[scaleOpts.from], scaleOpts, { key: scaleKey });
          sc.valToPct = initValToPct(sc);
          scales[scaleKey] = sc;
        } else {
          sc = scales[scaleKey] = assign({}, scaleKey == xScaleKey ? xScaleOpts : yScaleOpts, scaleOpts);
          sc.key = scaleKey;
          let isTime = sc.time;
          let rn = sc.range;
          let rangeIsArr = isArr(rn);
          if (scaleKey != xScaleKey || mode == 2 && !isTime) {
            if (rangeIsArr && (rn[0] == null || rn[1] == null)) {
              rn = {
                min: rn[0] == null ? autoRangePart : {
                  mode: 1,
                  hard: rn[0],
                  soft: rn[0]
                },
                max: rn[1] == null ? autoRangePart : {
                  mode: 1,
                  hard: rn[1],
                  soft: rn[1]
                }
              };
              rangeIsArr = false;
            }
            if (!rangeIsArr && isObj(rn)) {
              let cfg = rn;
              rn = (self, dataMin, dataMax) => dataMin == null ? nullNullTuple : rangeNum(dataMin, dataMax, cfg);
            }
          }
          sc.range = fnOrSelf(rn || (isTime ? snapTimeX : scaleKey == xScaleKey ? sc.distr == 3 ? snapLogX : sc.distr == 4 ? snapAsinhX : snapNumX : sc.distr == 3 ? snapLogY : sc.distr == 4 ? snapAsinhY : snapNumY));
          sc.auto = fnOrSelf(rangeIsArr ? false : sc.auto);
          sc.clamp = fnOrSelf(sc.clamp || clampScale);
          sc._min = sc._max = null;
          sc.valToPct = initValToPct(sc);
        }
      }
    }
    initScale("x");
    initScale("y");
    if (mode == 1) {
      series.forEach((s) => {
        initScale(s.scale);
      });
    }
    axes.forEach((a) => {
      initScale(a.scale);
    });
    for (let k in opts.scales)
      initScale(k);
    const scaleX = scales[xScaleKey];
    const xScaleDistr = scaleX.distr;
    let valToPosX, valToPosY;
    if (scaleX.ori == 0) {
      addClass(root, ORI_HZ);
      valToPosX = getHPos;
      valToPosY = getVPos;
    } else {
      addClass(root, ORI_VT);
      valToPosX = getVPos;
      valToPosY = getHPos;
    }
    const pendScales = {};
    for (let k in scales) {
      let sc = scales[k];
      if (sc.min != null || sc.max != null) {
        pendScales[k] = { min: sc.min, max: sc.max };
        sc.min = sc.max = null;
      }
    }
    const _tzDate = opts.tzDate || ((ts) => new Date(round(ts / ms)));
    const _fmtDate = opts.fmtDate || fmtDate;
    const _timeAxisSplits = ms == 1 ? timeAxisSplitsMs(_tzDate) : timeAxisSplitsS(_tzDate);
    const _timeAxisVals = timeAxisVals(_tzDate, timeAxisStamps(ms == 1 ? _timeAxisStampsMs : _timeAxisStampsS, _fmtDate));
    const _timeSeriesVal = timeSeriesVal(_tzDate, timeSeriesStamp(_timeSeriesStamp, _fmtDate));
    const activeIdxs = [];
    const legend = self.legend = assign({}, legendOpts, opts.legend);
    const cursor = self.cursor = assign({}, cursorOpts, { drag: { y: mode == 2 } }, opts.cursor);
    const showLegend = legend.show;
    const showCursor = cursor.show;
    const markers = legend.markers;
    {
      legend.idxs = activeIdxs;
      markers.width = fnOrSelf(markers.width);
      markers.dash = fnOrSelf(markers.dash);
      markers.stroke = fnOrSelf(markers.stroke);
      markers.fill = fnOrSelf(markers.fill);
    }
    let legendTable;
    let legendHead;
    let legendBody;
    let legendRows = [];
    let legendCells = [];
    let legendCols;
    let multiValLegend = false;
    let NULL_LEGEND_VALUES = {};
    if (legend.live) {
      const getMultiVals = series[1] ? series[1].values : null;
      multiValLegend = getMultiVals != null;
      legendCols = multiValLegend ? getMultiVals(self, 1, 0) : { _: 0 };
      for (let k in legendCols)
        NULL_LEGEND_VALUES[k] = LEGEND_DISP;
    }
    if (showLegend) {
      legendTable = placeTag("table", LEGEND, root);
      legendBody = placeTag("tbody", null, legendTable);
      legend.mount(self, legendTable);
      if (multiValLegend) {
        legendHead = placeTag("thead", null, legendTable, legendBody);
        let head = placeTag("tr", null, legendHead);
        placeTag("th", null, head);
        for (var key in legendCols)
          placeTag("th", LEGEND_LABEL, head).textContent = key;
      } else {
        addClass(legendTable, LEGEND_INLINE);
        legend.live && addClass(legendTable, LEGEND_LIVE);
      }
    }
    const son = { show: true };
    const soff = { show: false };
    function initLegendRow(s, i) {
      if (i == 0 && (multiValLegend || !legend.live || mode == 2))
        return nullNullTuple;
      let cells = [];
      let row = placeTag("tr", LEGEND_SERIES, legendBody, legendBody.childNodes[i]);
      addClass(row, s.class);
      if (!s.show)
        addClass(row, OFF);
      let label = placeTag("th", null, row);
      if (markers.show) {
        let indic = placeDiv(LEGEND_MARKER, label);
        if (i > 0) {
          let width = markers.width(self, i);
          if (width)
            indic.style.border = width + "px " + markers.dash(self, i) + " " + markers.stroke(self, i);
          indic.style.background = markers.fill(self, i);
        }
      }
      let text = placeDiv(LEGEND_LABEL, label);
      if (s.label instanceof HTMLElement)
        text.appendChild(s.label);
      else
        text.textContent = s.label;
      if (i > 0) {
        if (!markers.show)
          text.style.color = s.width > 0 ? markers.stroke(self, i) : markers.fill(self, i);
        onMouse("click", label, (e) => {
          if (cursor._lock)
            return;
          setCursorEvent(e);
          let seriesIdx = series.indexOf(s);
          if ((e.ctrlKey || e.metaKey) != legend.isolate) {
            let isolate = series.some((s, i) => i > 0 && i != seriesIdx && s.show);
            series.forEach((s, i) => {
              i > 0 && setSeries(i, isolate ? i == seriesIdx ? son : soff : son, true, syncOpts.setSeries);
            });
          } else
            setSeries(seriesIdx, { show: !s.show }, true, syncOpts.setSeries);
        }, false);
        if (cursorFocus) {
          onMouse(mouseenter, label, (e) => {
            if (cursor._lock)
              return;
            setCursorEvent(e);
            setSeries(series.indexOf(s), FOCUS_TRUE, true, syncOpts.setSeries);
          }, false);
        }
      }
      for (var key in legendCols) {
        let v = placeTag("td", LEGEND_VALUE, row);
        v.textContent = "--";
        cells.push(v);
      }
      return [row, cells];
    }
    const mouseListeners = new Map;
    function onMouse(ev, targ, fn, onlyTarg = true) {
      const targListeners = mouseListeners.get(targ) || {};
      const listener = cursor.bind[ev](self, targ, fn, onlyTarg);
      if (listener) {
        on(ev, targ, targListeners[ev] = listener);
        mouseListeners.set(targ, targListeners);
      }
    }
    function offMouse(ev, targ, fn) {
      const targListeners = mouseListeners.get(targ) || {};
      for (let k in targListeners) {
        if (ev == null || k == ev) {
          off(k, targ, targListeners[k]);
          delete targListeners[k];
        }
      }
      if (ev == null)
        mouseListeners.delete(targ);
    }
    let fullWidCss = 0;
    let fullHgtCss = 0;
    let plotWidCss = 0;
    let plotHgtCss = 0;
    let plotLftCss = 0;
    let plotTopCss = 0;
    let _plotLftCss = plotLftCss;
    let _plotTopCss = plotTopCss;
    let _plotWidCss = plotWidCss;
    let _plotHgtCss = plotHgtCss;
    let plotLft = 0;
    let plotTop = 0;
    let plotWid = 0;
    let plotHgt = 0;
    self.bbox = {};
    let shouldSetScales = false;
    let shouldSetSize = false;
    let shouldConvergeSize = false;
    let shouldSetCursor = false;
    let shouldSetSelect = false;
    let shouldSetLegend = false;
    function _setSize(width, height, force) {
      if (force || (width != self.width || height != self.height))
        calcSize(width, height);
      resetYSeries(false);
      shouldConvergeSize = true;
      shouldSetSize = true;
      commit();
    }
    function calcSize(width, height) {
      self.width = fullWidCss = plotWidCss = width;
      self.height = fullHgtCss = plotHgtCss = height;
      plotLftCss = plotTopCss = 0;
      calcPlotRect();
      calcAxesRects();
      let bb = self.bbox;
      plotLft = bb.left = incrRound(plotLftCss * pxRatio, 0.5);
      plotTop = bb.top = incrRound(plotTopCss * pxRatio, 0.5);
      plotWid = bb.width = incrRound(plotWidCss * pxRatio, 0.5);
      plotHgt = bb.height = incrRound(plotHgtCss * pxRatio, 0.5);
    }
    const CYCLE_LIMIT = 3;
    function convergeSize() {
      let converged = false;
      let cycleNum = 0;
      while (!converged) {
        cycleNum++;
        let axesConverged = axesCalc(cycleNum);
        let paddingConverged = paddingCalc(cycleNum);
        converged = cycleNum == CYCLE_LIMIT || axesConverged && paddingConverged;
        if (!converged) {
          calcSize(self.width, self.height);
          shouldSetSize = true;
        }
      }
    }
    function setSize({ width, height }) {
      _setSize(width, height);
    }
    self.setSize = setSize;
    function calcPlotRect() {
      let hasTopAxis = false;
      let hasBtmAxis = false;
      let hasRgtAxis = false;
      let hasLftAxis = false;
      axes.forEach((axis, i) => {
        if (axis.show && axis._show) {
          let { side, _size } = axis;
          let isVt = side % 2;
          let labelSize = axis.label != null ? axis.labelSize : 0;
          let fullSize = _size + labelSize;
          if (fullSize > 0) {
            if (isVt) {
              plotWidCss -= fullSize;
              if (side == 3) {
                plotLftCss += fullSize;
                hasLftAxis = true;
              } else
                hasRgtAxis = true;
            } else {
              plotHgtCss -= fullSize;
              if (side == 0) {
                plotTopCss += fullSize;
                hasTopAxis = true;
              } else
                hasBtmAxis = true;
            }
          }
        }
      });
      sidesWithAxes[0] = hasTopAxis;
      sidesWithAxes[1] = hasRgtAxis;
      sidesWithAxes[2] = hasBtmAxis;
      sidesWithAxes[3] = hasLftAxis;
      plotWidCss -= _padding[1] + _padding[3];
      plotLftCss += _padding[3];
      plotHgtCss -= _padding[2] + _padding[0];
      plotTopCss += _padding[0];
    }
    function calcAxesRects() {
      let off1 = plotLftCss + plotWidCss;
      let off2 = plotTopCss + plotHgtCss;
      let off3 = plotLftCss;
      let off0 = plotTopCss;
      function incrOffset(side, size) {
        switch (side) {
          case 1:
            off1 += size;
            return off1 - size;
          case 2:
            off2 += size;
            return off2 - size;
          case 3:
            off3 -= size;
            return off3 + size;
          case 0:
            off0 -= size;
            return off0 + size;
        }
      }
      axes.forEach((axis, i) => {
        if (axis.show && axis._show) {
          let side = axis.side;
          axis._pos = incrOffset(side, axis._size);
          if (axis.label != null)
            axis._lpos = incrOffset(side, axis.labelSize);
        }
      });
    }
    if (cursor.dataIdx == null) {
      let hov = cursor.hover;
      let skip = hov.skip = new Set(hov.skip ?? []);
      skip.add(undefined);
      let prox = hov.prox = fnOrSelf(hov.prox);
      let bias = hov.bias ??= 0;
      cursor.dataIdx = (self, seriesIdx, cursorIdx, valAtPosX) => {
        if (seriesIdx == 0)
          return cursorIdx;
        let idx2 = cursorIdx;
        let _prox = prox(self, seriesIdx, cursorIdx, valAtPosX) ?? inf;
        let withProx = _prox >= 0 && _prox < inf;
        let xDim = scaleX.ori == 0 ? plotWidCss : plotHgtCss;
        let cursorLft = cursor.left;
        let xValues = data[0];
        let yValues = data[seriesIdx];
        if (skip.has(yValues[cursorIdx])) {
          idx2 = null;
          let nonNullLft = null, nonNullRgt = null, j;
          if (bias == 0 || bias == -1) {
            j = cursorIdx;
            while (nonNullLft == null && j-- > 0) {
              if (!skip.has(yValues[j]))
                nonNullLft = j;
            }
          }
          if (bias == 0 || bias == 1) {
            j = cursorIdx;
            while (nonNullRgt == null && j++ < yValues.length) {
              if (!skip.has(yValues[j]))
                nonNullRgt = j;
            }
          }
          if (nonNullLft != null || nonNullRgt != null) {
            if (withProx) {
              let lftPos = nonNullLft == null ? -Infinity : valToPosX(xValues[nonNullLft], scaleX, xDim, 0);
              let rgtPos = nonNullRgt == null ? Infinity : valToPosX(xValues[nonNullRgt], scaleX, xDim, 0);
              let lftDelta = cursorLft - lftPos;
              let rgtDelta = rgtPos - cursorLft;
              if (lftDelta <= rgtDelta) {
                if (lftDelta <= _prox)
                  idx2 = nonNullLft;
              } else {
                if (rgtDelta <= _prox)
                  idx2 = nonNullRgt;
              }
            } else {
              idx2 = nonNullRgt == null ? nonNullLft : nonNullLft == null ? nonNullRgt : cursorIdx - nonNullLft <= nonNullRgt - cursorIdx ? nonNullLft : nonNullRgt;
            }
          }
        } else if (withProx) {
          let dist = abs(cursorLft - valToPosX(xValues[cursorIdx], scaleX, xDim, 0));
          if (dist > _prox)
            idx2 = null;
        }
        return idx2;
      };
    }
    const setCursorEvent = (e) => {
      cursor.event = e;
    };
    cursor.idxs = activeIdxs;
    cursor._lock = false;
    let points = cursor.points;
    points.show = fnOrSelf(points.show);
    points.size = fnOrSelf(points.size);
    points.stroke = fnOrSelf(points.stroke);
    points.width = fnOrSelf(points.width);
    points.fill = fnOrSelf(points.fill);
    const focus = self.focus = assign({}, opts.focus || { alpha: 0.3 }, cursor.focus);
    const cursorFocus = focus.prox >= 0;
    const cursorOnePt = cursorFocus && points.one;
    let cursorPts = [];
    let cursorPtsLft = [];
    let cursorPtsTop = [];
    function initCursorPt(s, si) {
      let pt = points.show(self, si);
      if (pt instanceof HTMLElement) {
        addClass(pt, CURSOR_PT);
        addClass(pt, s.class);
        elTrans(pt, -10, -10, plotWidCss, plotHgtCss);
        over.insertBefore(pt, cursorPts[si]);
        return pt;
      }
    }
    function initSeries(s, i) {
      if (mode == 1 || i > 0) {
        let isTime = mode == 1 && scales[s.scale].time;
        let sv = s.value;
        s.value = isTime ? isStr(sv) ? timeSeriesVal(_tzDate, timeSeriesStamp(sv, _fmtDate)) : sv || _timeSeriesVal : sv || numSeriesVal;
        s.label = s.label || (isTime ? timeSeriesLabel : numSeriesLabel);
      }
      if (cursorOnePt || i > 0) {
        s.width = s.width == null ? 1 : s.width;
        s.paths = s.paths || linearPath || retNull;
        s.fillTo = fnOrSelf(s.fillTo || seriesFillTo);
        s.pxAlign = +ifNull(s.pxAlign, pxAlign);
        s.pxRound = pxRoundGen(s.pxAlign);
        s.stroke = fnOrSelf(s.stroke || null);
        s.fill = fnOrSelf(s.fill || null);
        s._stroke = s._fill = s._paths = s._focus = null;
        let _ptDia = ptDia(max(1, s.width), 1);
        let points = s.points = assign({}, {
          size: _ptDia,
          width: max(1, _ptDia * 0.2),
          stroke: s.stroke,
          space: _ptDia * 2,
          paths: pointsPath,
          _stroke: null,
          _fill: null
        }, s.points);
        points.show = fnOrSelf(points.show);
        points.filter = fnOrSelf(points.filter);
        points.fill = fnOrSelf(points.fill);
        points.stroke = fnOrSelf(points.stroke);
        points.paths = fnOrSelf(points.paths);
        points.pxAlign = s.pxAlign;
      }
      if (showLegend) {
        let rowCells = initLegendRow(s, i);
        legendRows.splice(i, 0, rowCells[0]);
        legendCells.splice(i, 0, rowCells[1]);
        legend.values.push(null);
      }
      if (showCursor) {
        activeIdxs.splice(i, 0, null);
        let pt = null;
        if (cursorOnePt) {
          if (i == 0)
            pt = initCursorPt(s, i);
        } else if (i > 0)
          pt = initCursorPt(s, i);
        cursorPts.splice(i, 0, pt);
        cursorPtsLft.splice(i, 0, 0);
        cursorPtsTop.splice(i, 0, 0);
      }
      fire("addSeries", i);
    }
    function addSeries(opts, si) {
      si = si == null ? series.length : si;
      opts = mode == 1 ? setDefault(opts, si, xSeriesOpts, ySeriesOpts) : setDefault(opts, si, {}, xySeriesOpts);
      series.splice(si, 0, opts);
      initSeries(series[si], si);
    }
    self.addSeries = addSeries;
    function delSeries(i) {
      series.splice(i, 1);
      if (showLegend) {
        legend.values.splice(i, 1);
        legendCells.splice(i, 1);
        let tr = legendRows.splice(i, 1)[0];
        offMouse(null, tr.firstChild);
        tr.remove();
      }
      if (showCursor) {
        activeIdxs.splice(i, 1);
        cursorPts.splice(i, 1)[0].remove();
        cursorPtsLft.splice(i, 1);
        cursorPtsTop.splice(i, 1);
      }
      fire("delSeries", i);
    }
    self.delSeries = delSeries;
    const sidesWithAxes = [false, false, false, false];
    function initAxis(axis, i) {
      axis._show = axis.show;
      if (axis.show) {
        let isVt = axis.side % 2;
        let sc = scales[axis.scale];
        if (sc == null) {
          axis.scale = isVt ? series[1].scale : xScaleKey;
          sc = scales[axis.scale];
        }
        let isTime = sc.time;
        axis.size = fnOrSelf(axis.size);
        axis.space = fnOrSelf(axis.space);
        axis.rotate = fnOrSelf(axis.rotate);
        if (isArr(axis.incrs)) {
          axis.incrs.forEach((incr) => {
            !fixedDec.has(incr) && fixedDec.set(incr, guessDec(incr));
          });
        }
        axis.incrs = fnOrSelf(axis.incrs || (sc.distr == 2 ? wholeIncrs : isTime ? ms == 1 ? timeIncrsMs : timeIncrsS : numIncrs));
        axis.splits = fnOrSelf(axis.splits || (isTime && sc.distr == 1 ? _timeAxisSplits : sc.distr == 3 ? logAxisSplits : sc.distr == 4 ? asinhAxisSplits : numAxisSplits));
        axis.stroke = fnOrSelf(axis.stroke);
        axis.grid.stroke = fnOrSelf(axis.grid.stroke);
        axis.ticks.stroke = fnOrSelf(axis.ticks.stroke);
        axis.border.stroke = fnOrSelf(axis.border.stroke);
        let av = axis.values;
        axis.values = isArr(av) && !isArr(av[0]) ? fnOrSelf(av) : isTime ? isArr(av) ? timeAxisVals(_tzDate, timeAxisStamps(av, _fmtDate)) : isStr(av) ? timeAxisVal(_tzDate, av) : av || _timeAxisVals : av || numAxisVals;
        axis.filter = fnOrSelf(axis.filter || (sc.distr >= 3 && sc.log == 10 ? log10AxisValsFilt : sc.distr == 3 && sc.log == 2 ? log2AxisValsFilt : retArg1));
        axis.font = pxRatioFont(axis.font);
        axis.labelFont = pxRatioFont(axis.labelFont);
        axis._size = axis.size(self, null, i, 0);
        axis._space = axis._rotate = axis._incrs = axis._found = axis._splits = axis._values = null;
        if (axis._size > 0) {
          sidesWithAxes[i] = true;
          axis._el = placeDiv(AXIS, wrap);
        }
      }
    }
    function autoPadSide(self, side, sidesWithAxes, cycleNum) {
      let [hasTopAxis, hasRgtAxis, hasBtmAxis, hasLftAxis] = sidesWithAxes;
      let ori = side % 2;
      let size = 0;
      if (ori == 0 && (hasLftAxis || hasRgtAxis))
        size = side == 0 && !hasTopAxis || side == 2 && !hasBtmAxis ? round(xAxisOpts.size / 3) : 0;
      if (ori == 1 && (hasTopAxis || hasBtmAxis))
        size = side == 1 && !hasRgtAxis || side == 3 && !hasLftAxis ? round(yAxisOpts.size / 2) : 0;
      return size;
    }
    const padding = self.padding = (opts.padding || [autoPadSide, autoPadSide, autoPadSide, autoPadSide]).map((p) => fnOrSelf(ifNull(p, autoPadSide)));
    const _padding = self._padding = padding.map((p, i) => p(self, i, sidesWithAxes, 0));
    let dataLen;
    let i0 = null;
    let i1 = null;
    const idxs = mode == 1 ? series[0].idxs : null;
    let data0 = null;
    let viaAutoScaleX = false;
    function setData(_data, _resetScales) {
      data = _data == null ? [] : _data;
      self.data = self._data = data;
      if (mode == 2) {
        dataLen = 0;
        for (let i = 1;i < series.length; i++)
          dataLen += data[i][0].length;
      } else {
        if (data.length == 0)
          self.data = self._data = data = [[]];
        data0 = data[0];
        dataLen = data0.length;
        let scaleData = data;
        if (xScaleDistr == 2) {
          scaleData = data.slice();
          let _data0 = scaleData[0] = Array(dataLen);
          for (let i = 0;i < dataLen; i++)
            _data0[i] = i;
        }
        self._data = data = scaleData;
      }
      resetYSeries(true);
      fire("setData");
      if (xScaleDistr == 2) {
        shouldConvergeSize = true;
      }
      if (_resetScales !== false) {
        let xsc = scaleX;
        if (xsc.auto(self, viaAutoScaleX))
          autoScaleX();
        else
          _setScale(xScaleKey, xsc.min, xsc.max);
        shouldSetCursor = shouldSetCursor || cursor.left >= 0;
        shouldSetLegend = true;
        commit();
      }
    }
    self.setData = setData;
    function autoScaleX() {
      viaAutoScaleX = true;
      let _min, _max;
      if (mode == 1) {
        if (dataLen > 0) {
          i0 = idxs[0] = 0;
          i1 = idxs[1] = dataLen - 1;
          _min = data[0][i0];
          _max = data[0][i1];
          if (xScaleDistr == 2) {
            _min = i0;
            _max = i1;
          } else if (_min == _max) {
            if (xScaleDistr == 3)
              [_min, _max] = rangeLog(_min, _min, scaleX.log, false);
            else if (xScaleDistr == 4)
              [_min, _max] = rangeAsinh(_min, _min, scaleX.log, false);
            else if (scaleX.time)
              _max = _min + round(86400 / ms);
            else
              [_min, _max] = rangeNum(_min, _max, rangePad, true);
          }
        } else {
          i0 = idxs[0] = _min = null;
          i1 = idxs[1] = _max = null;
        }
      }
      _setScale(xScaleKey, _min, _max);
    }
    let ctxStroke, ctxFill, ctxWidth, ctxDash, ctxJoin, ctxCap, ctxFont, ctxAlign, ctxBaseline;
    let ctxAlpha;
    function setCtxStyle(stroke, width, dash, cap, fill, join) {
      stroke ??= transparent;
      dash ??= EMPTY_ARR;
      cap ??= "butt";
      fill ??= transparent;
      join ??= "round";
      if (stroke != ctxStroke)
        ctx.strokeStyle = ctxStroke = stroke;
      if (fill != ctxFill)
        ctx.fillStyle = ctxFill = fill;
      if (width != ctxWidth)
        ctx.lineWidth = ctxWidth = width;
      if (join != ctxJoin)
        ctx.lineJoin = ctxJoin = join;
      if (cap != ctxCap)
        ctx.lineCap = ctxCap = cap;
      if (dash != ctxDash)
        ctx.setLineDash(ctxDash = dash);
    }
    function setFontStyle(font, fill, align, baseline) {
      if (fill != ctxFill)
        ctx.fillStyle = ctxFill = fill;
      if (font != ctxFont)
        ctx.font = ctxFont = font;
      if (align != ctxAlign)
        ctx.textAlign = ctxAlign = align;
      if (baseline != ctxBaseline)
        ctx.textBaseline = ctxBaseline = baseline;
    }
    function accScale(wsc, psc, facet, data, sorted = 0) {
      if (data.length > 0 && wsc.auto(self, viaAutoScaleX) && (psc == null || psc.min == null)) {
        let _i0 = ifNull(i0, 0);
        let _i1 = ifNull(i1, data.length - 1);
        let minMax = facet.min == null ? getMinMax(data, _i0, _i1, sorted, wsc.distr == 3) : [facet.min, facet.max];
        wsc.min = min(wsc.min, facet.min = minMax[0]);
        wsc.max = max(wsc.max, facet.max = minMax[1]);
      }
    }
    const AUTOSCALE = { min: null, max: null };
    function setScales() {
      for (let k in scales) {
        let sc = scales[k];
        if (pendScales[k] == null && (sc.min == null || pendScales[xScaleKey] != null && sc.auto(self, viaAutoScaleX))) {
          pendScales[k] = AUTOSCALE;
        }
      }
      for (let k in scales) {
        let sc = scales[k];
        if (pendScales[k] == null && sc.from != null && pendScales[sc.from] != null)
          pendScales[k] = AUTOSCALE;
      }
      if (pendScales[xScaleKey] != null)
        resetYSeries(true);
      let wipScales = {};
      for (let k in pendScales) {
        let psc = pendScales[k];
        if (psc != null) {
          let wsc = wipScales[k] = copy(scales[k], fastIsObj);
          if (psc.min != null)
            assign(wsc, psc);
          else if (k != xScaleKey || mode == 2) {
            if (dataLen == 0 && wsc.from == null) {
              let minMax = wsc.range(self, null, null, k);
              wsc.min = minMax[0];
              wsc.max = minMax[1];
            } else {
              wsc.min = inf;
              wsc.max = -inf;
            }
          }
        }
      }
      if (dataLen > 0) {
        series.forEach((s, i) => {
          if (mode == 1) {
            let k = s.scale;
            let psc = pendScales[k];
            if (psc == null)
              return;
            let wsc = wipScales[k];
            if (i == 0) {
              let minMax = wsc.range(self, wsc.min, wsc.max, k);
              wsc.min = minMax[0];
              wsc.max = minMax[1];
              i0 = closestIdx(wsc.min, data[0]);
              i1 = closestIdx(wsc.max, data[0]);
              if (i1 - i0 > 1) {
                if (data[0][i0] < wsc.min)
                  i0++;
                if (data[0][i1] > wsc.max)
                  i1--;
              }
              s.min = data0[i0];
              s.max = data0[i1];
            } else if (s.show && s.auto)
              accScale(wsc, psc, s, data[i], s.sorted);
            s.idxs[0] = i0;
            s.idxs[1] = i1;
          } else {
            if (i > 0) {
              if (s.show && s.auto) {
                let [xFacet, yFacet] = s.facets;
                let xScaleKey = xFacet.scale;
                let yScaleKey = yFacet.scale;
                let [xData, yData] = data[i];
                let wscx = wipScales[xScaleKey];
                let wscy = wipScales[yScaleKey];
                wscx != null && accScale(wscx, pendScales[xScaleKey], xFacet, xData, xFacet.sorted);
                wscy != null && accScale(wscy, pendScales[yScaleKey], yFacet, yData, yFacet.sorted);
                s.min = yFacet.min;
                s.max = yFacet.max;
              }
            }
          }
        });
        for (let k in wipScales) {
          let wsc = wipScales[k];
          let psc = pendScales[k];
          if (wsc.from == null && (psc == null || psc.min == null)) {
            let minMax = wsc.range(self, wsc.min == inf ? null : wsc.min, wsc.max == -inf ? null : wsc.max, k);
            wsc.min = minMax[0];
            wsc.max = minMax[1];
          }
        }
      }
      for (let k in wipScales) {
        let wsc = wipScales[k];
        if (wsc.from != null) {
          let base = wipScales[wsc.from];
          if (base.min == null)
            wsc.min = wsc.max = null;
          else {
            let minMax = wsc.range(self, base.min, base.max, k);
            wsc.min = minMax[0];
            wsc.max = minMax[1];
          }
        }
      }
      let changed = {};
      let anyChanged = false;
      for (let k in wipScales) {
        let wsc = wipScales[k];
        let sc = scales[k];
        if (sc.min != wsc.min || sc.max != wsc.max) {
          sc.min = wsc.min;
          sc.max = wsc.max;
          let distr = sc.distr;
          sc._min = distr == 3 ? log10(sc.min) : distr == 4 ? asinh(sc.min, sc.asinh) : distr == 100 ? sc.fwd(sc.min) : sc.min;
          sc._max = distr == 3 ? log10(sc.max) : distr == 4 ? asinh(sc.max, sc.asinh) : distr == 100 ? sc.fwd(sc.max) : sc.max;
          changed[k] = anyChanged = true;
        }
      }
      if (anyChanged) {
        series.forEach((s, i) => {
          if (mode == 2) {
            if (i > 0 && changed.y)
              s._paths = null;
          } else {
            if (changed[s.scale])
              s._paths = null;
          }
        });
        for (let k in changed) {
          shouldConvergeSize = true;
          fire("setScale", k);
        }
        if (showCursor && cursor.left >= 0)
          shouldSetCursor = shouldSetLegend = true;
      }
      for (let k in pendScales)
        pendScales[k] = null;
    }
    function getOuterIdxs(ydata) {
      let _i0 = clamp(i0 - 1, 0, dataLen - 1);
      let _i1 = clamp(i1 + 1, 0, dataLen - 1);
      while (ydata[_i0] == null && _i0 > 0)
        _i0--;
      while (ydata[_i1] == null && _i1 < dataLen - 1)
        _i1++;
      return [_i0, _i1];
    }
    function drawSeries() {
      if (dataLen > 0) {
        let shouldAlpha = series.some((s) => s._focus) && ctxAlpha != focus.alpha;
        if (shouldAlpha)
          ctx.globalAlpha = ctxAlpha = focus.alpha;
        series.forEach((s, i) => {
          if (i > 0 && s.show) {
            cacheStrokeFill(i, false);
            cacheStrokeFill(i, true);
            if (s._paths == null) {
              let _ctxAlpha = ctxAlpha;
              if (ctxAlpha != s.alpha)
                ctx.globalAlpha = ctxAlpha = s.alpha;
              let _idxs = mode == 2 ? [0, data[i][0].length - 1] : getOuterIdxs(data[i]);
              s._paths = s.paths(self, i, _idxs[0], _idxs[1]);
              if (ctxAlpha != _ctxAlpha)
                ctx.globalAlpha = ctxAlpha = _ctxAlpha;
            }
          }
        });
        series.forEach((s, i) => {
          if (i > 0 && s.show) {
            let _ctxAlpha = ctxAlpha;
            if (ctxAlpha != s.alpha)
              ctx.globalAlpha = ctxAlpha = s.alpha;
            s._paths != null && drawPath(i, false);
            {
              let _gaps = s._paths != null ? s._paths.gaps : null;
              let show = s.points.show(self, i, i0, i1, _gaps);
              let idxs = s.points.filter(self, i, show, _gaps);
              if (show || idxs) {
                s.points._paths = s.points.paths(self, i, i0, i1, idxs);
                drawPath(i, true);
              }
            }
            if (ctxAlpha != _ctxAlpha)
              ctx.globalAlpha = ctxAlpha = _ctxAlpha;
            fire("drawSeries", i);
          }
        });
        if (shouldAlpha)
          ctx.globalAlpha = ctxAlpha = 1;
      }
    }
    function cacheStrokeFill(si, _points) {
      let s = _points ? series[si].points : series[si];
      s._stroke = s.stroke(self, si);
      s._fill = s.fill(self, si);
    }
    function drawPath(si, _points) {
      let s = _points ? series[si].points : series[si];
      let {
        stroke,
        fill,
        clip: gapsClip,
        flags,
        _stroke: strokeStyle = s._stroke,
        _fill: fillStyle = s._fill,
        _width: width = s.width
      } = s._paths;
      width = roundDec(width * pxRatio, 3);
      let boundsClip = null;
      let offset = width % 2 / 2;
      if (_points && fillStyle == null)
        fillStyle = width > 0 ? "#fff" : strokeStyle;
      let _pxAlign = s.pxAlign == 1 && offset > 0;
      _pxAlign && ctx.translate(offset, offset);
      if (!_points) {
        let lft = plotLft - width / 2, top = plotTop - width / 2, wid = plotWid + width, hgt = plotHgt + width;
        boundsClip = new Path2D;
        boundsClip.rect(lft, top, wid, hgt);
      }
      if (_points)
        strokeFill(strokeStyle, width, s.dash, s.cap, fillStyle, stroke, fill, flags, gapsClip);
      else
        fillStroke(si, strokeStyle, width, s.dash, s.cap, fillStyle, stroke, fill, flags, boundsClip, gapsClip);
      _pxAlign && ctx.translate(-offset, -offset);
    }
    function fillStroke(si, strokeStyle, lineWidth, lineDash, lineCap, fillStyle, strokePath, fillPath, flags, boundsClip, gapsClip) {
      let didStrokeFill = false;
      flags != 0 && bands.forEach((b, bi) => {
        if (b.series[0] == si) {
          let lowerEdge = series[b.series[1]];
          let lowerData = data[b.series[1]];
          let bandClip = (lowerEdge._paths || EMPTY_OBJ).band;
          if (isArr(bandClip))
            bandClip = b.dir == 1 ? bandClip[0] : bandClip[1];
          let gapsClip2;
          let _fillStyle = null;
          if (lowerEdge.show && bandClip && hasData(lowerData, i0, i1)) {
            _fillStyle = b.fill(self, bi) || fillStyle;
            gapsClip2 = lowerEdge._paths.clip;
          } else
            bandClip = null;
          strokeFill(strokeStyle, lineWidth, lineDash, lineCap, _fillStyle, strokePath, fillPath, flags, boundsClip, gapsClip, gapsClip2, bandClip);
          didStrokeFill = true;
        }
      });
      if (!didStrokeFill)
        strokeFill(strokeStyle, lineWidth, lineDash, lineCap, fillStyle, strokePath, fillPath, flags, boundsClip, gapsClip);
    }
    const CLIP_FILL_STROKE = BAND_CLIP_FILL | BAND_CLIP_STROKE;
    function strokeFill(strokeStyle, lineWidth, lineDash, lineCap, fillStyle, strokePath, fillPath, flags, boundsClip, gapsClip, gapsClip2, bandClip) {
      setCtxStyle(strokeStyle, lineWidth, lineDash, lineCap, fillStyle);
      if (boundsClip || gapsClip || bandClip) {
        ctx.save();
        boundsClip && ctx.clip(boundsClip);
        gapsClip && ctx.clip(gapsClip);
      }
      if (bandClip) {
        if ((flags & CLIP_FILL_STROKE) == CLIP_FILL_STROKE) {
          ctx.clip(bandClip);
          gapsClip2 && ctx.clip(gapsClip2);
          doFill(fillStyle, fillPath);
          doStroke(strokeStyle, strokePath, lineWidth);
        } else if (flags & BAND_CLIP_STROKE) {
          doFill(fillStyle, fillPath);
          ctx.clip(bandClip);
          doStroke(strokeStyle, strokePath, lineWidth);
        } else if (flags & BAND_CLIP_FILL) {
          ctx.save();
          ctx.clip(bandClip);
          gapsClip2 && ctx.clip(gapsClip2);
          doFill(fillStyle, fillPath);
          ctx.restore();
          doStroke(strokeStyle, strokePath, lineWidth);
        }
      } else {
        doFill(fillStyle, fillPath);
        doStroke(strokeStyle, strokePath, lineWidth);
      }
      if (boundsClip || gapsClip || bandClip)
        ctx.restore();
    }
    function doStroke(strokeStyle, strokePath, lineWidth) {
      if (lineWidth > 0) {
        if (strokePath instanceof Map) {
          strokePath.forEach((strokePath, strokeStyle) => {
            ctx.strokeStyle = ctxStroke = strokeStyle;
            ctx.stroke(strokePath);
          });
        } else
          strokePath != null && strokeStyle && ctx.stroke(strokePath);
      }
    }
    function doFill(fillStyle, fillPath) {
      if (fillPath instanceof Map) {
        fillPath.forEach((fillPath, fillStyle) => {
          ctx.fillStyle = ctxFill = fillStyle;
          ctx.fill(fillPath);
        });
      } else
        fillPath != null && fillStyle && ctx.fill(fillPath);
    }
    function getIncrSpace(axisIdx, min, max, fullDim) {
      let axis = axes[axisIdx];
      let incrSpace;
      if (fullDim <= 0)
        incrSpace = [0, 0];
      else {
        let minSpace = axis._space = axis.space(self, axisIdx, min, max, fullDim);
        let incrs = axis._incrs = axis.incrs(self, axisIdx, min, max, fullDim, minSpace);
        incrSpace = findIncr(min, max, incrs, fullDim, minSpace);
      }
      return axis._found = incrSpace;
    }
    function drawOrthoLines(offs, filts, ori, side, pos0, len, width, stroke, dash, cap) {
      let offset = width % 2 / 2;
      pxAlign == 1 && ctx.translate(offset, offset);
      setCtxStyle(stroke, width, dash, cap, stroke);
      ctx.beginPath();
      let x0, y0, x1, y1, pos1 = pos0 + (side == 0 || side == 3 ? -len : len);
      if (ori == 0) {
        y0 = pos0;
        y1 = pos1;
      } else {
        x0 = pos0;
        x1 = pos1;
      }
      for (let i = 0;i < offs.length; i++) {
        if (filts[i] != null) {
          if (ori == 0)
            x0 = x1 = offs[i];
          else
            y0 = y1 = offs[i];
          ctx.moveTo(x0, y0);
          ctx.lineTo(x1, y1);
        }
      }
      ctx.stroke();
      pxAlign == 1 && ctx.translate(-offset, -offset);
    }
    function axesCalc(cycleNum) {
      let converged = true;
      axes.forEach((axis, i) => {
        if (!axis.show)
          return;
        let scale = scales[axis.scale];
        if (scale.min == null) {
          if (axis._show) {
            converged = false;
            axis._show = false;
            resetYSeries(false);
          }
          return;
        } else {
          if (!axis._show) {
            converged = false;
            axis._show = true;
            resetYSeries(false);
          }
        }
        let side = axis.side;
        let ori = side % 2;
        let { min, max } = scale;
        let [_incr, _space] = getIncrSpace(i, min, max, ori == 0 ? plotWidCss : plotHgtCss);
        if (_space == 0)
          return;
        let forceMin = scale.distr == 2;
        let _splits = axis._splits = axis.splits(self, i, min, max, _incr, _space, forceMin);
        let splits = scale.distr == 2 ? _splits.map((i) => data0[i]) : _splits;
        let incr = scale.distr == 2 ? data0[_splits[1]] - data0[_splits[0]] : _incr;
        let values = axis._values = axis.values(self, axis.filter(self, splits, i, _space, incr), i, _space, incr);
        axis._rotate = side == 2 ? axis.rotate(self, values, i, _space) : 0;
        let oldSize = axis._size;
        axis._size = ceil(axis.size(self, values, i, cycleNum));
        if (oldSize != null && axis._size != oldSize)
          converged = false;
      });
      return converged;
    }
    function paddingCalc(cycleNum) {
      let converged = true;
      padding.forEach((p, i) => {
        let _p = p(self, i, sidesWithAxes, cycleNum);
        if (_p != _padding[i])
          converged = false;
        _padding[i] = _p;
      });
      return converged;
    }
    function drawAxesGrid() {
      for (let i = 0;i < axes.length; i++) {
        let axis = axes[i];
        if (!axis.show || !axis._show)
          continue;
        let side = axis.side;
        let ori = side % 2;
        let x, y;
        let fillStyle = axis.stroke(self, i);
        let shiftDir = side == 0 || side == 3 ? -1 : 1;
        let [_incr, _space] = axis._found;
        if (axis.label != null) {
          let shiftAmt = axis.labelGap * shiftDir;
          let baseLpos = round((axis._lpos + shiftAmt) * pxRatio);
          setFontStyle(axis.labelFont[0], fillStyle, "center", side == 2 ? TOP : BOTTOM);
          ctx.save();
          if (ori == 1) {
            x = y = 0;
            ctx.translate(baseLpos, round(plotTop + plotHgt / 2));
            ctx.rotate((side == 3 ? -PI : PI) / 2);
          } else {
            x = round(plotLft + plotWid / 2);
            y = baseLpos;
          }
          let _label = isFn(axis.label) ? axis.label(self, i, _incr, _space) : axis.label;
          ctx.fillText(_label, x, y);
          ctx.restore();
        }
        if (_space == 0)
          continue;
        let scale = scales[axis.scale];
        let plotDim = ori == 0 ? plotWid : plotHgt;
        let plotOff = ori == 0 ? plotLft : plotTop;
        let _splits = axis._splits;
        let splits = scale.distr == 2 ? _splits.map((i) => data0[i]) : _splits;
        let incr = scale.distr == 2 ? data0[_splits[1]] - data0[_splits[0]] : _incr;
        let ticks = axis.ticks;
        let border = axis.border;
        let _tickSize = ticks.show ? ticks.size : 0;
        let tickSize = round(_tickSize * pxRatio);
        let axisGap = round((axis.alignTo == 2 ? axis._size - _tickSize - axis.gap : axis.gap) * pxRatio);
        let angle = axis._rotate * -PI / 180;
        let basePos = pxRound(axis._pos * pxRatio);
        let shiftAmt = (tickSize + axisGap) * shiftDir;
        let finalPos = basePos + shiftAmt;
        y = ori == 0 ? finalPos : 0;
        x = ori == 1 ? finalPos : 0;
        let font = axis.font[0];
        let textAlign = axis.align == 1 ? LEFT : axis.align == 2 ? RIGHT : angle > 0 ? LEFT : angle < 0 ? RIGHT : ori == 0 ? "center" : side == 3 ? RIGHT : LEFT;
        let textBaseline = angle || ori == 1 ? "middle" : side == 2 ? TOP : BOTTOM;
        setFontStyle(font, fillStyle, textAlign, textBaseline);
        let lineHeight = axis.font[1] * axis.lineGap;
        let canOffs = _splits.map((val) => pxRound(getPos(val, scale, plotDim, plotOff)));
        let _values = axis._values;
        for (let i = 0;i < _values.length; i++) {
          let val = _values[i];
          if (val != null) {
            if (ori == 0)
              x = canOffs[i];
            else
              y = canOffs[i];
            val = "" + val;
            let _parts = val.indexOf(`
`) == -1 ? [val] : val.split(/\n/gm);
            for (let j = 0;j < _parts.length; j++) {
              let text = _parts[j];
              if (angle) {
                ctx.save();
                ctx.translate(x, y + j * lineHeight);
                ctx.rotate(angle);
                ctx.fillText(text, 0, 0);
                ctx.restore();
              } else
                ctx.fillText(text, x, y + j * lineHeight);
            }
          }
        }
        if (ticks.show) {
          drawOrthoLines(canOffs, ticks.filter(self, splits, i, _space, incr), ori, side, basePos, tickSize, roundDec(ticks.width * pxRatio, 3), ticks.stroke(self, i), ticks.dash, ticks.cap);
        }
        let grid = axis.grid;
        if (grid.show) {
          drawOrthoLines(canOffs, grid.filter(self, splits, i, _space, incr), ori, ori == 0 ? 2 : 1, ori == 0 ? plotTop : plotLft, ori == 0 ? plotHgt : plotWid, roundDec(grid.width * pxRatio, 3), grid.stroke(self, i), grid.dash, grid.cap);
        }
        if (border.show) {
          drawOrthoLines([basePos], [1], ori == 0 ? 1 : 0, ori == 0 ? 1 : 2, ori == 1 ? plotTop : plotLft, ori == 1 ? plotHgt : plotWid, roundDec(border.width * pxRatio, 3), border.stroke(self, i), border.dash, border.cap);
        }
      }
      fire("drawAxes");
    }
    function resetYSeries(minMax) {
      series.forEach((s, i) => {
        if (i > 0) {
          s._paths = null;
          if (minMax) {
            if (mode == 1) {
              s.min = null;
              s.max = null;
            } else {
              s.facets.forEach((f) => {
                f.min = null;
                f.max = null;
              });
            }
          }
        }
      });
    }
    let queuedCommit = false;
    let deferHooks = false;
    let hooksQueue = [];
    function flushHooks() {
      deferHooks = false;
      for (let i = 0;i < hooksQueue.length; i++)
        fire(...hooksQueue[i]);
      hooksQueue.length = 0;
    }
    function commit() {
      if (!queuedCommit) {
        microTask(_commit);
        queuedCommit = true;
      }
    }
    function batch(fn, _deferHooks = false) {
      queuedCommit = true;
      deferHooks = _deferHooks;
      fn(self);
      _commit();
      if (_deferHooks && hooksQueue.length > 0)
        queueMicrotask(flushHooks);
    }
    self.batch = batch;
    function _commit() {
      if (shouldSetScales) {
        setScales();
        shouldSetScales = false;
      }
      if (shouldConvergeSize) {
        convergeSize();
        shouldConvergeSize = false;
      }
      if (shouldSetSize) {
        setStylePx(under, LEFT, plotLftCss);
        setStylePx(under, TOP, plotTopCss);
        setStylePx(under, WIDTH, plotWidCss);
        setStylePx(under, HEIGHT, plotHgtCss);
        setStylePx(over, LEFT, plotLftCss);
        setStylePx(over, TOP, plotTopCss);
        setStylePx(over, WIDTH, plotWidCss);
        setStylePx(over, HEIGHT, plotHgtCss);
        setStylePx(wrap, WIDTH, fullWidCss);
        setStylePx(wrap, HEIGHT, fullHgtCss);
        can.width = round(fullWidCss * pxRatio);
        can.height = round(fullHgtCss * pxRatio);
        axes.forEach(({ _el, _show, _size, _pos, side }) => {
          if (_el != null) {
            if (_show) {
              let posOffset = side === 3 || side === 0 ? _size : 0;
              let isVt = side % 2 == 1;
              setStylePx(_el, isVt ? "left" : "top", _pos - posOffset);
              setStylePx(_el, isVt ? "width" : "height", _size);
              setStylePx(_el, isVt ? "top" : "left", isVt ? plotTopCss : plotLftCss);
              setStylePx(_el, isVt ? "height" : "width", isVt ? plotHgtCss : plotWidCss);
              remClass(_el, OFF);
            } else
              addClass(_el, OFF);
          }
        });
        ctxStroke = ctxFill = ctxWidth = ctxJoin = ctxCap = ctxFont = ctxAlign = ctxBaseline = ctxDash = null;
        ctxAlpha = 1;
        syncRect(true);
        if (plotLftCss != _plotLftCss || plotTopCss != _plotTopCss || plotWidCss != _plotWidCss || plotHgtCss != _plotHgtCss) {
          resetYSeries(false);
          let pctWid = plotWidCss / _plotWidCss;
          let pctHgt = plotHgtCss / _plotHgtCss;
          if (showCursor && !shouldSetCursor && cursor.left >= 0) {
            cursor.left *= pctWid;
            cursor.top *= pctHgt;
            vCursor && elTrans(vCursor, round(cursor.left), 0, plotWidCss, plotHgtCss);
            hCursor && elTrans(hCursor, 0, round(cursor.top), plotWidCss, plotHgtCss);
            for (let i = 0;i < cursorPts.length; i++) {
              let pt = cursorPts[i];
              if (pt != null) {
                cursorPtsLft[i] *= pctWid;
                cursorPtsTop[i] *= pctHgt;
                elTrans(pt, ceil(cursorPtsLft[i]), ceil(cursorPtsTop[i]), plotWidCss, plotHgtCss);
              }
            }
          }
          if (select.show && !shouldSetSelect && select.left >= 0 && select.width > 0) {
            select.left *= pctWid;
            select.width *= pctWid;
            select.top *= pctHgt;
            select.height *= pctHgt;
            for (let prop in _hideProps)
              setStylePx(selectDiv, prop, select[prop]);
          }
          _plotLftCss = plotLftCss;
          _plotTopCss = plotTopCss;
          _plotWidCss = plotWidCss;
          _plotHgtCss = plotHgtCss;
        }
        fire("setSize");
        shouldSetSize = false;
      }
      if (fullWidCss > 0 && fullHgtCss > 0) {
        ctx.clearRect(0, 0, can.width, can.height);
        fire("drawClear");
        drawOrder.forEach((fn) => fn());
        fire("draw");
      }
      if (select.show && shouldSetSelect) {
        setSelect(select);
        shouldSetSelect = false;
      }
      if (showCursor && shouldSetCursor) {
        updateCursor(null, true, false);
        shouldSetCursor = false;
      }
      if (legend.show && legend.live && shouldSetLegend) {
        setLegend();
        shouldSetLegend = false;
      }
      if (!ready) {
        ready = true;
        self.status = 1;
        fire("ready");
      }
      viaAutoScaleX = false;
      queuedCommit = false;
    }
    self.redraw = (rebuildPaths, recalcAxes) => {
      shouldConvergeSize = recalcAxes || false;
      if (rebuildPaths !== false)
        _setScale(xScaleKey, scaleX.min, scaleX.max);
      else
        commit();
    };
    function setScale(key, opts) {
      let sc = scales[key];
      if (sc.from == null) {
        if (dataLen == 0) {
          let minMax = sc.range(self, opts.min, opts.max, key);
          opts.min = minMax[0];
          opts.max = minMax[1];
        }
        if (opts.min > opts.max) {
          let _min = opts.min;
          opts.min = opts.max;
          opts.max = _min;
        }
        if (dataLen > 1 && opts.min != null && opts.max != null && opts.max - opts.min < 0.0000000000000001)
          return;
        if (key == xScaleKey) {
          if (sc.distr == 2 && dataLen > 0) {
            opts.min = closestIdx(opts.min, data[0]);
            opts.max = closestIdx(opts.max, data[0]);
            if (opts.min == opts.max)
              opts.max++;
          }
        }
        pendScales[key] = opts;
        shouldSetScales = true;
        commit();
      }
    }
    self.setScale = setScale;
    let xCursor;
    let yCursor;
    let vCursor;
    let hCursor;
    let rawMouseLeft0;
    let rawMouseTop0;
    let mouseLeft0;
    let mouseTop0;
    let rawMouseLeft1;
    let rawMouseTop1;
    let mouseLeft1;
    let mouseTop1;
    let dragging = false;
    const drag = cursor.drag;
    let dragX = drag.x;
    let dragY = drag.y;
    if (showCursor) {
      if (cursor.x)
        xCursor = placeDiv(CURSOR_X, over);
      if (cursor.y)
        yCursor = placeDiv(CURSOR_Y, over);
      if (scaleX.ori == 0) {
        vCursor = xCursor;
        hCursor = yCursor;
      } else {
        vCursor = yCursor;
        hCursor = xCursor;
      }
      mouseLeft1 = cursor.left;
      mouseTop1 = cursor.top;
    }
    const select = self.select = assign({
      show: true,
      over: true,
      left: 0,
      width: 0,
      top: 0,
      height: 0
    }, opts.select);
    const selectDiv = select.show ? placeDiv(SELECT, select.over ? over : under) : null;
    function setSelect(opts, _fire) {
      if (select.show) {
        for (let prop in opts) {
          select[prop] = opts[prop];
          if (prop in _hideProps)
            setStylePx(selectDiv, prop, opts[prop]);
        }
        _fire !== false && fire("setSelect");
      }
    }
    self.setSelect = setSelect;
    function toggleDOM(i) {
      let s = series[i];
      if (s.show)
        showLegend && remClass(legendRows[i], OFF);
      else {
        showLegend && addClass(legendRows[i], OFF);
        if (showCursor) {
          let pt = cursorOnePt ? cursorPts[0] : cursorPts[i];
          pt != null && elTrans(pt, -10, -10, plotWidCss, plotHgtCss);
        }
      }
    }
    function _setScale(key, min, max) {
      setScale(key, { min, max });
    }
    function setSeries(i, opts, _fire, _pub) {
      if (opts.focus != null)
        setFocus(i);
      if (opts.show != null) {
        series.forEach((s, si) => {
          if (si > 0 && (i == si || i == null)) {
            s.show = opts.show;
            toggleDOM(si);
            if (mode == 2) {
              _setScale(s.facets[0].scale, null, null);
              _setScale(s.facets[1].scale, null, null);
            } else
              _setScale(s.scale, null, null);
            commit();
          }
        });
      }
      _fire !== false && fire("setSeries", i, opts);
      _pub && pubSync("setSeries", self, i, opts);
    }
    self.setSeries = setSeries;
    function setBand(bi, opts) {
      assign(bands[bi], opts);
    }
    function addBand(opts, bi) {
      opts.fill = fnOrSelf(opts.fill || null);
      opts.dir = ifNull(opts.dir, -1);
      bi = bi == null ? bands.length : bi;
      bands.splice(bi, 0, opts);
    }
    function delBand(bi) {
      if (bi == null)
        bands.length = 0;
      else
        bands.splice(bi, 1);
    }
    self.addBand = addBand;
    self.setBand = setBand;
    self.delBand = delBand;
    function setAlpha(i, value) {
      series[i].alpha = value;
      if (showCursor && cursorPts[i] != null)
        cursorPts[i].style.opacity = value;
      if (showLegend && legendRows[i])
        legendRows[i].style.opacity = value;
    }
    let closestDist;
    let closestSeries;
    let focusedSeries;
    const FOCUS_TRUE = { focus: true };
    function setFocus(i) {
      if (i != focusedSeries) {
        let allFocused = i == null;
        let _setAlpha = focus.alpha != 1;
        series.forEach((s, i2) => {
          if (mode == 1 || i2 > 0) {
            let isFocused = allFocused || i2 == 0 || i2 == i;
            s._focus = allFocused ? null : isFocused;
            _setAlpha && setAlpha(i2, isFocused ? 1 : focus.alpha);
          }
        });
        focusedSeries = i;
        _setAlpha && commit();
      }
    }
    if (showLegend && cursorFocus) {
      onMouse(mouseleave, legendTable, (e) => {
        if (cursor._lock)
          return;
        setCursorEvent(e);
        if (focusedSeries != null)
          setSeries(null, FOCUS_TRUE, true, syncOpts.setSeries);
      });
    }
    function posToVal(pos, scale, can) {
      let sc = scales[scale];
      if (can)
        pos = pos / pxRatio - (sc.ori == 1 ? plotTopCss : plotLftCss);
      let dim = plotWidCss;
      if (sc.ori == 1) {
        dim = plotHgtCss;
        pos = dim - pos;
      }
      if (sc.dir == -1)
        pos = dim - pos;
      let { _min, _max } = sc, pct = pos / dim;
      let sv = _min + (_max - _min) * pct;
      let distr = sc.distr;
      return distr == 3 ? pow(10, sv) : distr == 4 ? sinh(sv, sc.asinh) : distr == 100 ? sc.bwd(sv) : sv;
    }
    function closestIdxFromXpos(pos, can) {
      let v = posToVal(pos, xScaleKey, can);
      return closestIdx(v, data[0], i0, i1);
    }
    self.valToIdx = (val) => closestIdx(val, data[0]);
    self.posToIdx = closestIdxFromXpos;
    self.posToVal = posToVal;
    self.valToPos = (val, scale, can) => scales[scale].ori == 0 ? getHPos(val, scales[scale], can ? plotWid : plotWidCss, can ? plotLft : 0) : getVPos(val, scales[scale], can ? plotHgt : plotHgtCss, can ? plotTop : 0);
    self.setCursor = (opts, _fire, _pub) => {
      mouseLeft1 = opts.left;
      mouseTop1 = opts.top;
      updateCursor(null, _fire, _pub);
    };
    function setSelH(off, dim) {
      setStylePx(selectDiv, LEFT, select.left = off);
      setStylePx(selectDiv, WIDTH, select.width = dim);
    }
    function setSelV(off, dim) {
      setStylePx(selectDiv, TOP, select.top = off);
      setStylePx(selectDiv, HEIGHT, select.height = dim);
    }
    let setSelX = scaleX.ori == 0 ? setSelH : setSelV;
    let setSelY = scaleX.ori == 1 ? setSelH : setSelV;
    function syncLegend() {
      if (showLegend && legend.live) {
        for (let i = mode == 2 ? 1 : 0;i < series.length; i++) {
          if (i == 0 && multiValLegend)
            continue;
          let vals = legend.values[i];
          let j = 0;
          for (let k in vals)
            legendCells[i][j++].firstChild.nodeValue = vals[k];
        }
      }
    }
    function setLegend(opts, _fire) {
      if (opts != null) {
        if (opts.idxs) {
          opts.idxs.forEach((didx, sidx) => {
            activeIdxs[sidx] = didx;
          });
        } else if (!isUndef(opts.idx))
          activeIdxs.fill(opts.idx);
        legend.idx = activeIdxs[0];
      }
      if (showLegend && legend.live) {
        for (let sidx = 0;sidx < series.length; sidx++) {
          if (sidx > 0 || mode == 1 && !multiValLegend)
            setLegendValues(sidx, activeIdxs[sidx]);
        }
        syncLegend();
      }
      shouldSetLegend = false;
      _fire !== false && fire("setLegend");
    }
    self.setLegend = setLegend;
    function setLegendValues(sidx, idx) {
      let s = series[sidx];
      let src = sidx == 0 && xScaleDistr == 2 ? data0 : data[sidx];
      let val;
      if (multiValLegend)
        val = s.values(self, sidx, idx) ?? NULL_LEGEND_VALUES;
      else {
        val = s.value(self, idx == null ? null : src[idx], sidx, idx);
        val = val == null ? NULL_LEGEND_VALUES : { _: val };
      }
      legend.values[sidx] = val;
    }
    function updateCursor(src, _fire, _pub) {
      rawMouseLeft1 = mouseLeft1;
      rawMouseTop1 = mouseTop1;
      [mouseLeft1, mouseTop1] = cursor.move(self, mouseLeft1, mouseTop1);
      cursor.left = mouseLeft1;
      cursor.top = mouseTop1;
      if (showCursor) {
        vCursor && elTrans(vCursor, round(mouseLeft1), 0, plotWidCss, plotHgtCss);
        hCursor && elTrans(hCursor, 0, round(mouseTop1), plotWidCss, plotHgtCss);
      }
      let idx;
      let noDataInRange = i0 > i1;
      closestDist = inf;
      closestSeries = null;
      let xDim = scaleX.ori == 0 ? plotWidCss : plotHgtCss;
      let yDim = scaleX.ori == 1 ? plotWidCss : plotHgtCss;
      if (mouseLeft1 < 0 || dataLen == 0 || noDataInRange) {
        idx = cursor.idx = null;
        for (let i = 0;i < series.length; i++) {
          let pt = cursorPts[i];
          pt != null && elTrans(pt, -10, -10, plotWidCss, plotHgtCss);
        }
        if (cursorFocus)
          setSeries(null, FOCUS_TRUE, true, src == null && syncOpts.setSeries);
        if (legend.live) {
          activeIdxs.fill(idx);
          shouldSetLegend = true;
        }
      } else {
        let mouseXPos, valAtPosX, xPos;
        if (mode == 1) {
          mouseXPos = scaleX.ori == 0 ? mouseLeft1 : mouseTop1;
          valAtPosX = posToVal(mouseXPos, xScaleKey);
          idx = cursor.idx = closestIdx(valAtPosX, data[0], i0, i1);
          xPos = valToPosX(data[0][idx], scaleX, xDim, 0);
        }
        let _ptLft = -10;
        let _ptTop = -10;
        let _ptWid = 0;
        let _ptHgt = 0;
        let _centered = true;
        let _ptFill = "";
        let _ptStroke = "";
        for (let i = mode == 2 ? 1 : 0;i < series.length; i++) {
          let s = series[i];
          let idx1 = activeIdxs[i];
          let yVal1 = idx1 == null ? null : mode == 1 ? data[i][idx1] : data[i][1][idx1];
          let idx2 = cursor.dataIdx(self, i, idx, valAtPosX);
          let yVal2 = idx2 == null ? null : mode == 1 ? data[i][idx2] : data[i][1][idx2];
          shouldSetLegend = shouldSetLegend || yVal2 != yVal1 || idx2 != idx1;
          activeIdxs[i] = idx2;
          if (i > 0 && s.show) {
            let xPos2 = idx2 == null ? -10 : idx2 == idx ? xPos : valToPosX(mode == 1 ? data[0][idx2] : data[i][0][idx2], scaleX, xDim, 0);
            let yPos = yVal2 == null ? -10 : valToPosY(yVal2, mode == 1 ? scales[s.scale] : scales[s.facets[1].scale], yDim, 0);
            if (cursorFocus && yVal2 != null) {
              let mouseYPos = scaleX.ori == 1 ? mouseLeft1 : mouseTop1;
              let dist = abs(focus.dist(self, i, idx2, yPos, mouseYPos));
              if (dist < closestDist) {
                let bias = focus.bias;
                if (bias != 0) {
                  let mouseYVal = posToVal(mouseYPos, s.scale);
                  let seriesYValSign = yVal2 >= 0 ? 1 : -1;
                  let mouseYValSign = mouseYVal >= 0 ? 1 : -1;
                  if (mouseYValSign == seriesYValSign && (mouseYValSign == 1 ? bias == 1 ? yVal2 >= mouseYVal : yVal2 <= mouseYVal : bias == 1 ? yVal2 <= mouseYVal : yVal2 >= mouseYVal)) {
                    closestDist = dist;
                    closestSeries = i;
                  }
                } else {
                  closestDist = dist;
                  closestSeries = i;
                }
              }
            }
            if (shouldSetLegend || cursorOnePt) {
              let hPos, vPos;
              if (scaleX.ori == 0) {
                hPos = xPos2;
                vPos = yPos;
              } else {
                hPos = yPos;
                vPos = xPos2;
              }
              let ptWid, ptHgt, ptLft, ptTop, ptStroke, ptFill, centered = true, getBBox = points.bbox;
              if (getBBox != null) {
                centered = false;
                let bbox = getBBox(self, i);
                ptLft = bbox.left;
                ptTop = bbox.top;
                ptWid = bbox.width;
                ptHgt = bbox.height;
              } else {
                ptLft = hPos;
                ptTop = vPos;
                ptWid = ptHgt = points.size(self, i);
              }
              ptFill = points.fill(self, i);
              ptStroke = points.stroke(self, i);
              if (cursorOnePt) {
                if (i == closestSeries && closestDist <= focus.prox) {
                  _ptLft = ptLft;
                  _ptTop = ptTop;
                  _ptWid = ptWid;
                  _ptHgt = ptHgt;
                  _centered = centered;
                  _ptFill = ptFill;
                  _ptStroke = ptStroke;
                }
              } else {
                let pt = cursorPts[i];
                if (pt != null) {
                  cursorPtsLft[i] = ptLft;
                  cursorPtsTop[i] = ptTop;
                  elSize(pt, ptWid, ptHgt, centered);
                  elColor(pt, ptFill, ptStroke);
                  elTrans(pt, ceil(ptLft), ceil(ptTop), plotWidCss, plotHgtCss);
                }
              }
            }
          }
        }
        if (cursorOnePt) {
          let p = focus.prox;
          let focusChanged = focusedSeries == null ? closestDist <= p : closestDist > p || closestSeries != focusedSeries;
          if (shouldSetLegend || focusChanged) {
            let pt = cursorPts[0];
            if (pt != null) {
              cursorPtsLft[0] = _ptLft;
              cursorPtsTop[0] = _ptTop;
              elSize(pt, _ptWid, _ptHgt, _centered);
              elColor(pt, _ptFill, _ptStroke);
              elTrans(pt, ceil(_ptLft), ceil(_ptTop), plotWidCss, plotHgtCss);
            }
          }
        }
      }
      if (select.show && dragging) {
        if (src != null) {
          let [xKey, yKey] = syncOpts.scales;
          let [matchXKeys, matchYKeys] = syncOpts.match;
          let [xKeySrc, yKeySrc] = src.cursor.sync.scales;
          let sdrag = src.cursor.drag;
          dragX = sdrag._x;
          dragY = sdrag._y;
          if (dragX || dragY) {
            let { left, top, width, height } = src.select;
            let sori = src.scales[xKeySrc].ori;
            let sPosToVal = src.posToVal;
            let sOff, sDim, sc, a, b;
            let matchingX = xKey != null && matchXKeys(xKey, xKeySrc);
            let matchingY = yKey != null && matchYKeys(yKey, yKeySrc);
            if (matchingX && dragX) {
              if (sori == 0) {
                sOff = left;
                sDim = width;
              } else {
                sOff = top;
                sDim = height;
              }
              sc = scales[xKey];
              a = valToPosX(sPosToVal(sOff, xKeySrc), sc, xDim, 0);
              b = valToPosX(sPosToVal(sOff + sDim, xKeySrc), sc, xDim, 0);
              setSelX(min(a, b), abs(b - a));
            } else
              setSelX(0, xDim);
            if (matchingY && dragY) {
              if (sori == 1) {
                sOff = left;
                sDim = width;
              } else {
                sOff = top;
                sDim = height;
              }
              sc = scales[yKey];
              a = valToPosY(sPosToVal(sOff, yKeySrc), sc, yDim, 0);
              b = valToPosY(sPosToVal(sOff + sDim, yKeySrc), sc, yDim, 0);
              setSelY(min(a, b), abs(b - a));
            } else
              setSelY(0, yDim);
          } else
            hideSelect();
        } else {
          let rawDX = abs(rawMouseLeft1 - rawMouseLeft0);
          let rawDY = abs(rawMouseTop1 - rawMouseTop0);
          if (scaleX.ori == 1) {
            let _rawDX = rawDX;
            rawDX = rawDY;
            rawDY = _rawDX;
          }
          dragX = drag.x && rawDX >= drag.dist;
          dragY = drag.y && rawDY >= drag.dist;
          let uni = drag.uni;
          if (uni != null) {
            if (dragX && dragY) {
              dragX = rawDX >= uni;
              dragY = rawDY >= uni;
              if (!dragX && !dragY) {
                if (rawDY > rawDX)
                  dragY = true;
                else
                  dragX = true;
              }
            }
          } else if (drag.x && drag.y && (dragX || dragY))
            dragX = dragY = true;
          let p0, p1;
          if (dragX) {
            if (scaleX.ori == 0) {
              p0 = mouseLeft0;
              p1 = mouseLeft1;
            } else {
              p0 = mouseTop0;
              p1 = mouseTop1;
            }
            setSelX(min(p0, p1), abs(p1 - p0));
            if (!dragY)
              setSelY(0, yDim);
          }
          if (dragY) {
            if (scaleX.ori == 1) {
              p0 = mouseLeft0;
              p1 = mouseLeft1;
            } else {
              p0 = mouseTop0;
              p1 = mouseTop1;
            }
            setSelY(min(p0, p1), abs(p1 - p0));
            if (!dragX)
              setSelX(0, xDim);
          }
          if (!dragX && !dragY) {
            setSelX(0, 0);
            setSelY(0, 0);
          }
        }
      }
      drag._x = dragX;
      drag._y = dragY;
      if (src == null) {
        if (_pub) {
          if (syncKey != null) {
            let [xSyncKey, ySyncKey] = syncOpts.scales;
            syncOpts.values[0] = xSyncKey != null ? posToVal(scaleX.ori == 0 ? mouseLeft1 : mouseTop1, xSyncKey) : null;
            syncOpts.values[1] = ySyncKey != null ? posToVal(scaleX.ori == 1 ? mouseLeft1 : mouseTop1, ySyncKey) : null;
          }
          pubSync(mousemove, self, mouseLeft1, mouseTop1, plotWidCss, plotHgtCss, idx);
        }
        if (cursorFocus) {
          let shouldPub = _pub && syncOpts.setSeries;
          let p = focus.prox;
          if (focusedSeries == null) {
            if (closestDist <= p)
              setSeries(closestSeries, FOCUS_TRUE, true, shouldPub);
          } else {
            if (closestDist > p)
              setSeries(null, FOCUS_TRUE, true, shouldPub);
            else if (closestSeries != focusedSeries)
              setSeries(closestSeries, FOCUS_TRUE, true, shouldPub);
          }
        }
      }
      if (shouldSetLegend) {
        legend.idx = idx;
        setLegend();
      }
      _fire !== false && fire("setCursor");
    }
    let rect = null;
    Object.defineProperty(self, "rect", {
      get() {
        if (rect == null)
          syncRect(false);
        return rect;
      }
    });
    function syncRect(defer = false) {
      if (defer)
        rect = null;
      else {
        rect = over.getBoundingClientRect();
        fire("syncRect", rect);
      }
    }
    function mouseMove(e, src, _l, _t, _w, _h, _i) {
      if (cursor._lock)
        return;
      if (dragging && e != null && e.movementX == 0 && e.movementY == 0)
        return;
      cacheMouse(e, src, _l, _t, _w, _h, _i, false, e != null);
      if (e != null)
        updateCursor(null, true, true);
      else
        updateCursor(src, true, false);
    }
    function cacheMouse(e, src, _l, _t, _w, _h, _i, initial, snap) {
      if (rect == null)
        syncRect(false);
      setCursorEvent(e);
      if (e != null) {
        _l = e.clientX - rect.left;
        _t = e.clientY - rect.top;
      } else {
        if (_l < 0 || _t < 0) {
          mouseLeft1 = -10;
          mouseTop1 = -10;
          return;
        }
        let [xKey, yKey] = syncOpts.scales;
        let syncOptsSrc = src.cursor.sync;
        let [xValSrc, yValSrc] = syncOptsSrc.values;
        let [xKeySrc, yKeySrc] = syncOptsSrc.scales;
        let [matchXKeys, matchYKeys] = syncOpts.match;
        let rotSrc = src.axes[0].side % 2 == 1;
        let xDim = scaleX.ori == 0 ? plotWidCss : plotHgtCss, yDim = scaleX.ori == 1 ? plotWidCss : plotHgtCss, _xDim = rotSrc ? _h : _w, _yDim = rotSrc ? _w : _h, _xPos = rotSrc ? _t : _l, _yPos = rotSrc ? _l : _t;
        if (xKeySrc != null)
          _l = matchXKeys(xKey, xKeySrc) ? getPos(xValSrc, scales[xKey], xDim, 0) : -10;
        else
          _l = xDim * (_xPos / _xDim);
        if (yKeySrc != null)
          _t = matchYKeys(yKey, yKeySrc) ? getPos(yValSrc, scales[yKey], yDim, 0) : -10;
        else
          _t = yDim * (_yPos / _yDim);
        if (scaleX.ori == 1) {
          let __l = _l;
          _l = _t;
          _t = __l;
        }
      }
      if (snap && (src == null || src.cursor.event.type == mousemove)) {
        if (_l <= 1 || _l >= plotWidCss - 1)
          _l = incrRound(_l, plotWidCss);
        if (_t <= 1 || _t >= plotHgtCss - 1)
          _t = incrRound(_t, plotHgtCss);
      }
      if (initial) {
        rawMouseLeft0 = _l;
        rawMouseTop0 = _t;
        [mouseLeft0, mouseTop0] = cursor.move(self, _l, _t);
      } else {
        mouseLeft1 = _l;
        mouseTop1 = _t;
      }
    }
    const _hideProps = {
      width: 0,
      height: 0,
      left: 0,
      top: 0
    };
    function hideSelect() {
      setSelect(_hideProps, false);
    }
    let downSelectLeft;
    let downSelectTop;
    let downSelectWidth;
    let downSelectHeight;
    function mouseDown(e, src, _l, _t, _w, _h, _i) {
      dragging = true;
      dragX = dragY = drag._x = drag._y = false;
      cacheMouse(e, src, _l, _t, _w, _h, _i, true, false);
      if (e != null) {
        onMouse(mouseup, doc, mouseUp, false);
        pubSync(mousedown, self, mouseLeft0, mouseTop0, plotWidCss, plotHgtCss, null);
      }
      let { left, top, width, height } = select;
      downSelectLeft = left;
      downSelectTop = top;
      downSelectWidth = width;
      downSelectHeight = height;
    }
    function mouseUp(e, src, _l, _t, _w, _h, _i) {
      dragging = drag._x = drag._y = false;
      cacheMouse(e, src, _l, _t, _w, _h, _i, false, true);
      let { left, top, width, height } = select;
      let hasSelect = width > 0 || height > 0;
      let chgSelect = downSelectLeft != left || downSelectTop != top || downSelectWidth != width || downSelectHeight != height;
      hasSelect && chgSelect && setSelect(select);
      if (drag.setScale && hasSelect && chgSelect) {
        let xOff = left, xDim = width, yOff = top, yDim = height;
        if (scaleX.ori == 1) {
          xOff = top, xDim = height, yOff = left, yDim = width;
        }
        if (dragX) {
          _setScale(xScaleKey, posToVal(xOff, xScaleKey), posToVal(xOff + xDim, xScaleKey));
        }
        if (dragY) {
          for (let k in scales) {
            let sc = scales[k];
            if (k != xScaleKey && sc.from == null && sc.min != inf) {
              _setScale(k, posToVal(yOff + yDim, k), posToVal(yOff, k));
            }
          }
        }
        hideSelect();
      } else if (cursor.lock) {
        cursor._lock = !cursor._lock;
        updateCursor(src, true, e != null);
      }
      if (e != null) {
        offMouse(mouseup, doc);
        pubSync(mouseup, self, mouseLeft1, mouseTop1, plotWidCss, plotHgtCss, null);
      }
    }
    function mouseLeave(e, src, _l, _t, _w, _h, _i) {
      if (cursor._lock)
        return;
      setCursorEvent(e);
      let _dragging = dragging;
      if (dragging) {
        let snapH = true;
        let snapV = true;
        let snapProx = 10;
        let dragH, dragV;
        if (scaleX.ori == 0) {
          dragH = dragX;
          dragV = dragY;
        } else {
          dragH = dragY;
          dragV = dragX;
        }
        if (dragH && dragV) {
          snapH = mouseLeft1 <= snapProx || mouseLeft1 >= plotWidCss - snapProx;
          snapV = mouseTop1 <= snapProx || mouseTop1 >= plotHgtCss - snapProx;
        }
        if (dragH && snapH)
          mouseLeft1 = mouseLeft1 < mouseLeft0 ? 0 : plotWidCss;
        if (dragV && snapV)
          mouseTop1 = mouseTop1 < mouseTop0 ? 0 : plotHgtCss;
        updateCursor(null, true, true);
        dragging = false;
      }
      mouseLeft1 = -10;
      mouseTop1 = -10;
      activeIdxs.fill(null);
      updateCursor(null, true, true);
      if (_dragging)
        dragging = _dragging;
    }
    function dblClick(e, src, _l, _t, _w, _h, _i) {
      if (cursor._lock)
        return;
      setCursorEvent(e);
      autoScaleX();
      hideSelect();
      if (e != null)
        pubSync(dblclick, self, mouseLeft1, mouseTop1, plotWidCss, plotHgtCss, null);
    }
    function syncPxRatio() {
      axes.forEach(syncFontSize);
      _setSize(self.width, self.height, true);
    }
    on(dppxchange, win, syncPxRatio);
    const events = {};
    events.mousedown = mouseDown;
    events.mousemove = mouseMove;
    events.mouseup = mouseUp;
    events.dblclick = dblClick;
    events["setSeries"] = (e, src, idx, opts) => {
      let seriesIdxMatcher = syncOpts.match[2];
      idx = seriesIdxMatcher(self, src, idx);
      idx != -1 && setSeries(idx, opts, true, false);
    };
    if (showCursor) {
      onMouse(mousedown, over, mouseDown);
      onMouse(mousemove, over, mouseMove);
      onMouse(mouseenter, over, (e) => {
        setCursorEvent(e);
        syncRect(false);
      });
      onMouse(mouseleave, over, mouseLeave);
      onMouse(dblclick, over, dblClick);
      cursorPlots.add(self);
      self.syncRect = syncRect;
    }
    const hooks = self.hooks = opts.hooks || {};
    function fire(evName, a1, a2) {
      if (deferHooks)
        hooksQueue.push([evName, a1, a2]);
      else {
        if (evName in hooks) {
          hooks[evName].forEach((fn) => {
            fn.call(null, self, a1, a2);
          });
        }
      }
    }
    (opts.plugins || []).forEach((p) => {
      for (let evName in p.hooks)
        hooks[evName] = (hooks[evName] || []).concat(p.hooks[evName]);
    });
    const seriesIdxMatcher = (self, src, srcSeriesIdx) => srcSeriesIdx;
    const syncOpts = assign({
      key: null,
      setSeries: false,
      filters: {
        pub: retTrue,
        sub: retTrue
      },
      scales: [xScaleKey, series[1] ? series[1].scale : null],
      match: [retEq, retEq, seriesIdxMatcher],
      values: [null, null]
    }, cursor.sync);
    if (syncOpts.match.length == 2)
      syncOpts.match.push(seriesIdxMatcher);
    cursor.sync = syncOpts;
    const syncKey = syncOpts.key;
    const sync = _sync(syncKey);
    function pubSync(type, src, x, y, w, h, i) {
      if (syncOpts.filters.pub(type, src, x, y, w, h, i))
        sync.pub(type, src, x, y, w, h, i);
    }
    sync.sub(self);
    function pub(type, src, x, y, w, h, i) {
      if (syncOpts.filters.sub(type, src, x, y, w, h, i))
        events[type](null, src, x, y, w, h, i);
    }
    self.pub = pub;
    function destroy() {
      sync.unsub(self);
      cursorPlots.delete(self);
      mouseListeners.clear();
      off(dppxchange, win, syncPxRatio);
      root.remove();
      legendTable?.remove();
      fire("destroy");
    }
    self.destroy = destroy;
    function _init() {
      fire("init", opts, data);
      setData(data || opts.data, false);
      if (pendScales[xScaleKey])
        setScale(xScaleKey, pendScales[xScaleKey]);
      else
        autoScaleX();
      shouldSetSelect = select.show && (select.width > 0 || select.height > 0);
      shouldSetCursor = shouldSetLegend = true;
      _setSize(opts.width, opts.height);
    }
    series.forEach(initSeries);
    axes.forEach(initAxis);
    if (then) {
      if (then instanceof HTMLElement) {
        then.appendChild(root);
        _init();
      } else
        then(self, _init);
    } else
      _init();
    return self;
  }
  uPlot.assign = assign;
  uPlot.fmtNum = fmtNum;
  uPlot.rangeNum = rangeNum;
  uPlot.rangeLog = rangeLog;
  uPlot.rangeAsinh = rangeAsinh;
  uPlot.orient = orient;
  uPlot.pxRatio = pxRatio;
  {
    uPlot.join = join;
  }
  {
    uPlot.fmtDate = fmtDate;
    uPlot.tzDate = tzDate;
  }
  uPlot.sync = _sync;
  {
    uPlot.addGap = addGap;
    uPlot.clipGaps = clipGaps;
    let paths = uPlot.paths = {
      points
    };
    paths.linear = linear;
    paths.stepped = stepped;
    paths.bars = bars;
    paths.spline = monotoneCubic;
  }

  // src/reports/timeline/model.ts
  var tones = [
    "idle",
    "pulling",
    "progress",
    "active",
    "good",
    "warn",
    "backoff",
    "bad",
    "ending",
    "done"
  ];
  var states = {
    waiting: "idle",
    pulling: "pulling",
    starting: "progress",
    running: "active",
    ready: "good",
    "not ready": "warn",
    "back-off": "backoff",
    stopping: "ending",
    terminating: "ending",
    completed: "done",
    failed: "bad",
    rejected: "bad",
    lost: "bad",
    down: "bad",
    stopped: "idle",
    connected: "good",
    disconnected: "bad",
    readable: "good",
    unreadable: "bad",
    "admission closed": "warn",
    present: "done",
    mounting: "progress",
    mounted: "good",
    unmounting: "ending",
    unknown: "idle",
    passing: "good",
    failing: "warn"
  };
  var stateNames = Object.keys(states);
  var noCause = -1;
  var causeElsewhere = -2;

  // src/reports/viewer/colours.ts
  var readColours = () => {
    const style = getComputedStyle(document.documentElement);
    const value = (name) => style.getPropertyValue(`--${name}`).trim();
    return {
      panel: value("panel"),
      band: value("band"),
      ink: value("ink"),
      muted: value("muted"),
      faint: value("faint"),
      line: value("line"),
      accent: value("accent"),
      accentSoft: value("accent-soft"),
      severity: ["trace", "debug", "info", "warn", "error"].map((name) => value(`severity-${name}`)),
      tone: Object.fromEntries(tones.map((tone) => [
        tone,
        { strong: value(`tone-${tone}`), soft: value(`tone-${tone}-soft`), ink: value(`tone-${tone}-ink`) }
      ]))
    };
  };
  var toneOf = (state) => states[state] ?? "idle";

  // src/reports/viewer/dom.ts
  var fill = (element, attributes, children) => {
    for (const [name, value] of Object.entries(attributes))
      if (value !== undefined)
        element.setAttribute(name, value);
    element.append(...children);
  };
  var el = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    fill(element, attributes, children);
    return element;
  };
  var button = (label, attributes, press, ...children) => {
    const element = el("button", { type: "button", "aria-label": label, ...attributes }, ...children);
    element.addEventListener("click", press);
    return element;
  };
  var svg = "http://www.w3.org/2000/svg";
  var icon = (path) => {
    const element = document.createElementNS(svg, "svg");
    fill(element, { viewBox: "0 0 16 16", width: "16", height: "16", class: "icon", "aria-hidden": "true" }, []);
    const line = document.createElementNS(svg, "path");
    fill(line, { d: path }, []);
    element.append(line);
    return element;
  };
  var plain = (text) => text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu, (c) => `\\u${c.codePointAt(0).toString(16).padStart(4, "0")}`);

  // src/reports/viewer/times.ts
  var utc = () => 0;
  var local = (at) => -new Date(at).getTimezoneOffset();
  var shifted = (at, zone) => new Date(at + zone(at) * 60000);
  var dayText = (at, zone) => shifted(at, zone).toISOString().slice(0, 10);
  var clockText = (at, zone) => shifted(at, zone).toISOString().slice(11, 23);
  var momentText = (at, zone) => `${dayText(at, zone)} ${clockText(at, zone)}`;
  var spanText = (from, to, zone) => {
    const isOneDay = dayText(from, zone) === dayText(to, zone);
    return `${momentText(from, zone)} → ${isOneDay ? clockText(to, zone) : momentText(to, zone)}`;
  };
  var lengthText = (millis) => {
    if (millis < 1000)
      return `${Math.round(millis)} ms`;
    if (millis < 60000)
      return `${(millis / 1000).toFixed(millis < 1e4 ? 1 : 0).replace(/\.0$/u, "")} s`;
    const units = [
      [86400000, "d"],
      [3600000, "h"],
      [60000, "min"],
      [1000, "s"]
    ];
    const at = units.findIndex(([size]) => millis >= size);
    const [size, name] = units[at];
    const next = units[at + 1];
    const rest = next === undefined ? 0 : Math.floor(millis % size / next[0]);
    return `${Math.floor(millis / size)} ${name}${rest === 0 || next === undefined ? "" : ` ${rest} ${next[1]}`}`;
  };
  var second = 1000;
  var minute = 60 * second;
  var hour = 60 * minute;
  var day = 24 * hour;
  var steps = [
    ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
    ...[1, 2, 5, 10, 15, 30].map((n) => n * second),
    ...[1, 2, 5, 10, 15, 30].map((n) => n * minute),
    ...[1, 2, 3, 6, 12].map((n) => n * hour),
    ...[1, 2, 7, 14, 30, 90, 365].map((n) => n * day)
  ];
  var ticks2 = (from, to, most, zone) => {
    const span = to - from;
    const step = steps.find((size) => span / size <= most) ?? steps.at(-1);
    const offset = zone(from) * minute;
    const marks = [];
    for (let at = Math.ceil((from + offset) / step) * step - offset;at <= to; at += step) {
      const isDay = (at + offset) % day === 0;
      const clock = clockText(at, zone);
      const label = isDay ? dayText(at, zone) : step < second ? clock : step < minute ? clock.slice(0, 8) : clock.slice(0, 5);
      marks.push({ at, label, isDay });
    }
    return marks;
  };

  // src/reports/viewer/charts.ts
  var maxBins = 400;
  var pixelsPerBin = 4;
  var overviewHeight = 56;
  var rates = (report, shown, bins) => {
    const { from, to } = report.head;
    const width = Math.max(to - from, 1) / bins;
    const counts = [0, 1, 2].map(() => new Array(bins).fill(0));
    for (let event = 0;event < report.size; event++) {
      if (shown !== undefined && shown[event] !== 1)
        continue;
      const bin = Math.min(Math.floor((report.at[event] - from) / width), bins - 1);
      counts[0][bin] += 1;
      if (report.severity[event] >= 3)
        counts[1][bin] += 1;
      if (report.severity[event] >= 4)
        counts[2][bin] += 1;
    }
    return [counts[0].map((_, bin) => (from + (bin + 0.5) * width) / 1000), ...counts];
  };

  class Overview {
    element = el("section", {
      class: "overview",
      "aria-label": "Events over time; drag over a part to see it larger"
    });
    store;
    window = el("div", { class: "window" });
    plot;
    constructor(store) {
      this.store = store;
      new ResizeObserver(() => this.build()).observe(this.element);
      store.listen((changed) => {
        if (changed.has("shown"))
          this.refill();
        if (changed.has("view"))
          this.showWindow();
      });
    }
    build() {
      const width = this.element.clientWidth;
      if (width === 0)
        return;
      this.plot?.destroy();
      const colours = readColours();
      const bars = uPlot.paths.bars?.({ size: [0.8, 24], align: 0 });
      const layer = (colour) => ({
        fill: colour,
        stroke: colour,
        width: 0,
        points: { show: false },
        ...bars ? { paths: bars } : {}
      });
      const whole = this.store.whole();
      const severity = (n) => colours.severity[n];
      this.plot = new uPlot({
        width,
        height: overviewHeight,
        padding: [6, 0, 0, 0],
        legend: { show: false },
        cursor: { x: true, y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
        scales: {
          x: { time: true, range: [whole.from / 1000, whole.to / 1000] },
          y: { range: (_, __, max) => [0, Math.max(max, 1)] }
        },
        axes: [{ show: false }, { show: false }],
        series: [{}, layer(severity(2)), layer(severity(3)), layer(severity(4))],
        hooks: {
          setSelect: [
            (plot) => {
              const { left, width: wide } = plot.select;
              if (wide < 3)
                return;
              this.store.setView(plot.posToVal(left, "x") * 1000, plot.posToVal(left + wide, "x") * 1000);
              plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            }
          ]
        }
      }, this.data(width), this.element);
      this.plot.over.append(this.window);
      this.plot.over.addEventListener("click", (event) => {
        const { from, to } = this.store.state.view;
        const at = this.plot.posToVal(event.offsetX, "x") * 1000;
        if (at < from || at > to)
          this.store.setView(at - (to - from) / 2, at + (to - from) / 2);
      });
      this.showWindow();
    }
    data(width) {
      const bins = Math.min(maxBins, Math.max(20, Math.floor(width / pixelsPerBin)));
      return rates(this.store.report, this.store.state.shown, bins);
    }
    refill() {
      this.plot?.setData(this.data(this.element.clientWidth));
    }
    showWindow() {
      if (this.plot === undefined)
        return;
      const { from, to } = this.store.state.view;
      const whole = this.store.whole();
      const [left, right] = [this.plot.valToPos(from / 1000, "x"), this.plot.valToPos(to / 1000, "x")];
      this.window.style.left = `${left}px`;
      this.window.style.width = `${Math.max(right - left, 3)}px`;
      this.window.hidden = from <= whole.from && to >= whole.to;
    }
  }
  var unitText = (value, unit) => {
    if (unit !== "bytes")
      return `${Math.round(value)}${unit === "ms" ? " ms" : ""}`;
    const power = value < 1 ? 0 : Math.min(4, Math.floor(Math.log2(value) / 10));
    return `${(value / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${["B", "KiB", "MiB", "GiB", "TiB"][power]}`;
  };
  var seriesCharts = (store, lane, into) => {
    const { head, series } = store.report;
    const colours = readColours();
    const plots = [];
    let first = 0;
    for (const { lane: owner, name, points, unit } of head.series) {
      const range = [first, first + points];
      first += points;
      if (owner !== lane || points < 2)
        continue;
      const at = [...series.at.subarray(...range)].map((t) => t / 1000);
      const value = [...series.value.subarray(...range)];
      const box = el("figure", { class: "chart" }, el("figcaption", {}, name));
      into.append(box);
      const latest = el("span", { class: "latest" });
      box.firstElementChild.append(latest);
      const axis = {
        stroke: colours.muted,
        grid: { stroke: colours.line, width: 1 },
        ticks: { show: false },
        font: "11px system-ui"
      };
      plots.push(new uPlot({
        width: Math.max(box.clientWidth, 200),
        height: 130,
        legend: { show: false },
        padding: [8, 8, 0, 0],
        tzDate: (seconds) => new Date(seconds * 1000 + store.zone(seconds * 1000) * 60000 + new Date(seconds * 1000).getTimezoneOffset() * 60000),
        axes: [
          { ...axis, space: 70, values: (_, marks) => marks.map((s) => clockText(s * 1000, store.zone).slice(0, 8)) },
          { ...axis, size: 62, values: (_, marks) => marks.map((v) => unitText(v, unit)) }
        ],
        series: [{}, { stroke: colours.accent, fill: colours.accentSoft, width: 1.5, points: { size: 4 } }],
        cursor: { drag: { x: false, y: false } },
        hooks: {
          setCursor: [
            ({ cursor: { idx } }) => {
              latest.textContent = idx === null || idx === undefined ? "" : `${momentText(at[idx] * 1000, store.zone)} · ${unitText(value[idx], unit)}`;
            }
          ]
        }
      }, [at, value], box));
    }
    return () => {
      for (const plot of plots)
        plot.destroy();
    };
  };

  // src/reports/html/columns.ts
  var types = { f64: Float64Array, i32: Int32Array, u32: Uint32Array, u16: Uint16Array, u8: Uint8Array };
  var order = Object.keys(types);
  var unpackColumns = (bytes, layout) => {
    let offset = bytes.byteOffset;
    return new Map(layout.map(({ name, type, length }) => {
      const column = new types[type](bytes.buffer, offset, length);
      offset += column.byteLength;
      return [name, column];
    }));
  };

  // src/reports/html/format.ts
  var blockEvents = 512;
  var parts = { head: "head", columns: "columns", sentences: "sentences", lines: "lines" };

  // src/reports/viewer/groups.ts
  class Groups {
    starts;
    members;
    constructor(starts, members) {
      this.starts = starts;
      this.members = members;
    }
    of(group) {
      return this.members.subarray(this.starts[group], this.starts[group + 1]);
    }
  }
  var byGroup = (groupOf, groups, at) => {
    const starts = new Uint32Array(groups + 1);
    for (const group of groupOf)
      if (group >= 0)
        starts[group + 1] += 1;
    for (let i = 0;i < groups; i++)
      starts[i + 1] += starts[i];
    const next = starts.slice();
    const members = new Uint32Array(starts[groups]);
    for (let i = 0;i < groupOf.length; i++) {
      const group = groupOf[i];
      if (group >= 0)
        members[next[group]++] = i;
    }
    if (at !== undefined) {
      for (let i = 0;i < groups; i++) {
        const part = members.subarray(starts[i], starts[i + 1]);
        if (part.some((member, n) => n > 0 && at[member] < at[part[n - 1]]))
          part.sort((a, b) => at[a] - at[b] || a - b);
      }
    }
    return new Groups(starts, members);
  };
  var effectsOf = (cause) => byGroup(cause, cause.length);
  var firstFrom = (members, at, time) => {
    let [low, high] = [0, members.length];
    while (low < high) {
      const middle = low + high >> 1;
      if (at[members[middle]] < time)
        low = middle + 1;
      else
        high = middle;
    }
    return low;
  };

  // src/reports/viewer/data.ts
  var bytesOf = (base64) => {
    const decode = Uint8Array.fromBase64;
    if (decode !== undefined)
      return decode(base64);
    const text = atob(base64);
    return Uint8Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
  };
  var unpack = async (base64) => {
    const stream = new Blob([bytesOf(base64)]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    return new Response(stream).arrayBuffer();
  };
  var unpackText = async (base64) => new TextDecoder().decode(await unpack(base64));
  var partsNamed = (part) => [
    ...document.querySelectorAll(`script[data-part="${part}"]`)
  ];
  var textOf = (element) => element?.textContent ?? "";
  var documentIsWhole = () => new Promise((resolve) => {
    if (document.readyState !== "loading")
      resolve();
    else
      document.addEventListener("DOMContentLoaded", () => resolve(), { once: true });
  });
  var maxBlocks = 16;

  class Report {
    head;
    size;
    at;
    lane;
    cause;
    tag;
    severity;
    bar;
    trouble;
    series;
    byLane;
    byPod;
    podOf;
    sentences = [];
    effects;
    blocks = new Map;
    constructor(head, columns) {
      const column = (name) => columns.get(name);
      this.head = head;
      this.at = column("at");
      this.size = this.at.length;
      this.lane = column("lane");
      this.cause = column("cause");
      this.tag = column("tag");
      this.severity = column("severity");
      const barLane = column("barLane");
      const from = column("barFrom");
      this.bar = {
        from,
        to: column("barTo"),
        event: column("barEvent"),
        state: column("barState"),
        open: column("barOpen"),
        byLane: byGroup(barLane, head.lanes.length, from)
      };
      this.trouble = { event: column("troubleEvent"), kind: column("troubleKind") };
      this.series = { at: column("seriesAt"), value: column("seriesValue"), event: column("seriesEvent") };
      this.byLane = byGroup(this.lane, head.lanes.length, this.at);
      const pods = new Int32Array(this.size);
      this.podOf = new Int32Array(head.lanes.length).fill(-1);
      head.lanes.forEach(({ kind, parent }, lane) => {
        this.podOf[lane] = kind === "pod" ? lane : parent < 0 ? -1 : this.podOf[parent];
      });
      for (let event = 0;event < this.size; event++)
        pods[event] = this.podOf[this.lane[event]];
      this.byPod = byGroup(pods, head.lanes.length, this.at);
    }
    static async read() {
      const [head, columns] = await Promise.all([
        unpackText(textOf(partsNamed(parts.head)[0])),
        unpack(textOf(partsNamed(parts.columns)[0]))
      ]);
      const parsed = JSON.parse(head);
      return new Report(parsed, unpackColumns(new Uint8Array(columns), parsed.columns));
    }
    async readSentences() {
      this.sentences = (await unpackText(textOf(partsNamed(parts.sentences)[0]))).split(`
`);
    }
    sentence(event) {
      return this.sentences[event] ?? "";
    }
    tagOf(event) {
      return this.head.tags[this.tag[event]];
    }
    laneText(lane) {
      const { kind, name, parent } = this.head.lanes[lane];
      if (parent >= 0)
        return `${this.laneText(parent)} ${name}`;
      return kind === "pod" ? name : `${kind} ${name}`;
    }
    effectsOf(event) {
      this.effects ??= effectsOf(this.cause);
      return this.effects.of(event);
    }
    chainOf(event, most) {
      const chain = [event];
      for (let at = this.cause[event];at >= 0 && chain.length < most; at = this.cause[at]) {
        if (at >= chain.at(-1))
          break;
        chain.push(at);
      }
      return chain.reverse();
    }
    blockCount() {
      return Math.ceil(this.size / blockEvents);
    }
    block(index) {
      const known = this.blocks.get(index);
      if (known !== undefined)
        return known;
      if (this.blocks.size >= maxBlocks)
        this.blocks.delete(this.blocks.keys().next().value);
      const lines = documentIsWhole().then(() => unpackText(textOf(partsNamed(parts.lines)[index]))).then((text) => text.split(`
`));
      this.blocks.set(index, lines);
      return lines;
    }
    async line(event) {
      return (await this.block(Math.floor(event / blockEvents)))[event % blockEvents] ?? "";
    }
  }

  // src/reports/viewer/header.ts
  var figure = (value, one, many, className = "") => el("div", { class: `figure ${value > 0 ? className : ""}` }, el("b", {}, value.toLocaleString("en")), el("span", {}, value === 1 ? one : many));

  class Header {
    element;
    search;
    found = el("output", { class: "found", "aria-live": "polite" });
    constructor(store, actions) {
      const { file, from, node, remarks, to, totals } = store.report.head;
      const span = el("span", { class: "span" });
      const zone = button("Times in UTC or local (u)", { class: "quiet", title: "UTC or local time (u)" }, () => store.set({ isUtc: !store.state.isUtc }));
      const showTimes = () => {
        span.textContent = totals.events === 0 ? "no events" : `${spanText(from, to, store.zone)} · ${lengthText(to - from)}`;
        zone.textContent = store.state.isUtc ? "UTC" : "Local";
      };
      showTimes();
      this.search = el("input", {
        type: "search",
        placeholder: "Search events …",
        "aria-label": "Search: words, or type: pod: kind: severity:",
        title: "Words, or type:ContainerExited pod:default/web kind:probe severity:warn",
        spellcheck: "false",
        autocomplete: "off"
      });
      this.search.addEventListener("input", () => store.set({ search: this.search.value }));
      const severity = el("div", { class: "choice", role: "group", "aria-label": "Least severity" });
      const choices = [
        [0, "All"],
        [2, "Info"],
        [3, "Warnings"],
        [4, "Errors"]
      ];
      severity.append(...choices.map(([least, text]) => button(`Show ${text.toLowerCase()}`, { "data-least": String(least) }, () => store.set({ least }), text)));
      const causes = button("Arrows from cause to effect (c)", { class: "toggle", title: "Arrows from cause to effect (c)" }, () => store.set({ causes: !store.state.causes }), icon("M3 4c6 0 4 8 10 8M10 9l3 3-3 3"), el("span", {}, "Causes"));
      const showChoices = () => {
        for (const choice of severity.children)
          choice.setAttribute("aria-pressed", String(choice.getAttribute("data-least") === String(store.state.least)));
        causes.setAttribute("aria-pressed", String(store.state.causes));
        const { searching, shown, shownCount } = store.state;
        this.found.textContent = shown === undefined ? "" : `${shownCount.toLocaleString("en")} of ${totals.events.toLocaleString("en")}${searching ? " …" : ""}`;
      };
      showChoices();
      this.element = el("header", {}, el("div", { class: "summary" }, el("div", { class: "names" }, el("h1", {}, node === "" ? "Incident" : plain(node)), el("p", {}, span, el("span", { class: "file" }, plain(file)))), el("div", { class: "figures" }, figure(totals.pods, "pod", "pods"), figure(totals.restarts, "restart", "restarts", "warn"), figure(totals.failures, "failed exit", "failed exits", "error"), figure(totals.probeFailures, "probe failed", "probes failed", "warn"), figure(totals.events, "event", "events")), el("div", { class: "switches" }, zone, button("Light or dark (t)", { class: "quiet", title: "Light or dark (t)" }, actions.theme, icon("M8 2a6 6 0 1 0 0 12zM8 2a6 6 0 0 1 0 12")), button("Keys and help (?)", { class: "quiet", title: "Keys and help (?)" }, actions.help, icon("M5.5 6a2.5 2.5 0 1 1 3.6 2.2C8.3 8.7 8 9 8 10M8 12.6v.4")))), ...remarks.length === 0 ? [] : [el("ul", { class: "remarks" }, ...remarks.map((remark) => el("li", {}, plain(remark))))], el("div", { class: "tools", role: "toolbar", "aria-label": "Search, filter and zoom" }, el("label", { class: "search" }, icon("M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.8 10.8L14 14"), this.search, el("kbd", { "aria-hidden": "true" }, "/")), severity, this.found, el("span", { class: "gap" }), causes, el("div", { class: "choice", role: "group", "aria-label": "Trouble and zoom" }, button("Trouble before (p)", { title: "Trouble before (p)" }, () => actions.trouble(-1), icon("M10 3L5 8l5 5")), button("Next trouble (n)", { title: "Next trouble (n)" }, () => actions.trouble(1), icon("M6 3l5 5-5 5"))), el("div", { class: "choice", role: "group", "aria-label": "Zoom" }, button("Zoom out (−)", { title: "Zoom out (−)" }, () => store.zoom(zoomStep), icon("M3 8h10")), button("Zoom in (+)", { title: "Zoom in (+)" }, () => store.zoom(1 / zoomStep), icon("M3 8h10M8 3v10")), button("Whole log (0)", { title: "Whole log (0)" }, () => fit(store), "Fit"))));
      store.listen((changed) => {
        if (changed.has("isUtc"))
          showTimes();
        showChoices();
        if (changed.has("search") && this.search.value !== store.state.search)
          this.search.value = store.state.search;
      });
    }
    focusSearch() {
      this.search.focus();
      this.search.select();
    }
  }
  var zoomStep = 1.6;
  var fit = (store) => {
    const { from, to } = store.whole();
    store.setView(from, to);
  };

  // src/reports/viewer/help.ts
  var keys = [
    ["/", "search; Esc leaves and clears it"],
    ["← →", "event before, next event, in the lane"],
    ["↑ ↓", "lane above, lane below"],
    ["Enter", "open the event, fold or unfold a pod"],
    ["Esc", "close what is open"],
    ["n p", "next trouble, trouble before"],
    ["w", "to the cause of the event"],
    ["+ − 0", "zoom in, out, whole log"],
    ["Shift ← →", "move in time"],
    ["c", "arrows from cause to effect"],
    ["u", "UTC or local time"],
    ["t", "light or dark"],
    ["Tab", "lists, timeline, event"],
    ["?", "this help"]
  ];
  var pointer = [
    ["Drag", "move in time"],
    ["Ctrl + wheel, pinch", "zoom"],
    ["Shift + wheel", "move in time"],
    ["Drag over the chart", "zoom to that part"],
    ["Double click", "look at an event closely"]
  ];
  var toneWords = {
    good: "well",
    active: "runs, not ready yet",
    progress: "on its way",
    pulling: "pulls an image",
    warn: "not ready, failing",
    backoff: "waits to try again",
    bad: "failed",
    ending: "ends",
    done: "done",
    idle: "waits"
  };
  var table = (title, rows) => el("section", {}, el("h3", {}, title), el("dl", {}, ...rows.flatMap(([name, meaning]) => [el("dt", {}, el("kbd", {}, name)), el("dd", {}, meaning)])));
  var legend = () => {
    const of = (tone) => Object.keys(states).filter((state) => states[state] === tone).join(", ");
    return el("section", {}, el("h3", {}, "Colours of states"), el("dl", { class: "legend" }, ...Object.keys(toneWords).flatMap((tone) => [
      el("dt", {}, el("span", { class: `swatch tone-${tone}` })),
      el("dd", {}, toneWords[tone], el("span", { class: "muted" }, of(tone)))
    ])));
  };
  var makeHelp = (writtenBy) => {
    const close = button("Close (Esc)", { class: "quiet" }, () => element.close(), "Close");
    const element = el("dialog", { class: "help", "aria-label": "Keys and help" }, el("div", { class: "head" }, el("h2", {}, "Keys and help"), close), el("div", { class: "columns" }, table("Keys", keys), el("div", {}, table("Mouse and touch", pointer), legend())), el("p", { class: "muted" }, `Written by ${writtenBy}. Search understands words, "two words", type:ContainerExited, pod:default/web, kind:probe and severity:warn. This file loads nothing from anywhere.`));
    element.addEventListener("click", (event) => {
      if (event.target === element)
        element.close();
    });
    return { element, open: () => element.open ? element.close() : element.showModal() };
  };

  // src/reports/viewer/json.ts
  var maxDepth = 12;
  var maxMembers = 300;
  var scalar = (value) => {
    if (typeof value === "string")
      return el("span", { class: value === "" ? "json empty-text" : "json text" }, value === "" ? "empty" : plain(value));
    return el("span", { class: `json ${value === null ? "null" : typeof value}` }, String(value));
  };
  var jsonTree = (value, depth = 0) => {
    if (typeof value !== "object" || value === null)
      return scalar(value);
    if (depth >= maxDepth)
      return el("span", { class: "json text" }, plain(JSON.stringify(value)));
    const members = Object.entries(value);
    if (members.length === 0)
      return el("span", { class: "json null" }, Array.isArray(value) ? "none" : "empty");
    return el("dl", { class: "tree" }, ...members.slice(0, maxMembers).flatMap(([name, member]) => [el("dt", {}, plain(name)), el("dd", {}, jsonTree(member, depth + 1))]), ...members.length > maxMembers ? [el("dt", {}, "…"), el("dd", {}, `${members.length - maxMembers} more`)] : []);
  };

  // src/reports/viewer/list.ts
  var spare = 6;

  class List {
    element;
    options;
    inner = el("div", { class: "rows", role: "presentation" });
    length = 0;
    current = -1;
    wanted = false;
    constructor(options) {
      this.options = options;
      this.element = el("div", { class: "list", id: options.id, role: "listbox", tabindex: "0", "aria-label": options.label }, this.inner);
      this.element.addEventListener("scroll", () => this.ask(), { passive: true });
      this.element.addEventListener("keydown", (event) => this.key(event));
      this.element.addEventListener("click", (event) => {
        const row = event.target.closest("[data-index]");
        if (row !== null)
          this.go(Number(row.getAttribute("data-index")), false);
      });
      new ResizeObserver(() => this.ask()).observe(this.element);
    }
    show(length, current) {
      this.length = length;
      this.inner.style.height = `${length * this.options.rowHeight}px`;
      if (current >= 0 && current !== this.current)
        this.reveal(current);
      this.current = current;
      this.ask();
    }
    key(event) {
      if (event.altKey || event.ctrlKey || event.metaKey)
        return;
      const page = Math.max(1, Math.floor(this.element.clientHeight / this.options.rowHeight) - 1);
      const moves = {
        ArrowDown: this.current + 1,
        ArrowUp: Math.max(this.current, 1) - 1,
        PageDown: this.current + page,
        PageUp: this.current - page,
        Home: 0,
        End: this.length - 1
      };
      const to = moves[event.key];
      if (to !== undefined)
        this.go(Math.min(Math.max(to, 0), this.length - 1), true);
      else if (event.key === "Enter" && this.current >= 0)
        this.go(this.current, false);
      else
        return;
      event.preventDefault();
      event.stopPropagation();
    }
    go(index, isMove) {
      if (index < 0 || index >= this.length)
        return;
      this.reveal(index);
      this.current = index;
      this.ask();
      this.options.choose(index, isMove);
    }
    reveal(index) {
      const { rowHeight } = this.options;
      const { clientHeight, scrollTop } = this.element;
      const top = index * rowHeight;
      if (top < scrollTop)
        this.element.scrollTop = top;
      else if (top + rowHeight > scrollTop + clientHeight)
        this.element.scrollTop = top + rowHeight - clientHeight;
    }
    ask() {
      if (this.wanted)
        return;
      this.wanted = true;
      requestAnimationFrame(() => this.draw());
    }
    draw() {
      this.wanted = false;
      const { id, row, rowHeight } = this.options;
      const first = Math.max(0, Math.floor(this.element.scrollTop / rowHeight) - spare);
      const last = Math.min(this.length, Math.ceil((this.element.scrollTop + this.element.clientHeight) / rowHeight) + spare);
      const rows = [];
      for (let index = first;index < last; index++) {
        const { className = "", content } = row(index);
        const element = el("div", {
          id: `${id}-${index}`,
          class: `row ${className}`,
          role: "option",
          "data-index": String(index),
          "aria-selected": String(index === this.current),
          "aria-setsize": String(this.length),
          "aria-posinset": String(index + 1)
        }, ...content);
        element.style.transform = `translateY(${index * rowHeight}px)`;
        element.style.height = `${rowHeight}px`;
        rows.push(element);
      }
      this.inner.replaceChildren(...rows);
      if (this.current >= first && this.current < last)
        this.element.setAttribute("aria-activedescendant", `${id}-${this.current}`);
      else
        this.element.removeAttribute("aria-activedescendant");
    }
  }

  // src/reports/viewer/side.ts
  var severityClass = ["trace", "debug", "info", "warn", "error"];
  var troubleWords = {
    restart: "restart",
    exit: "container failed",
    probe: "probe failed",
    start: "cannot start",
    image: "image missing",
    volume: "volume",
    pod: "pod",
    hook: "hook failed",
    log: "log",
    source: "manifest",
    service: "service",
    node: "node"
  };
  var problemsOf = (store) => {
    const { head, lane, podOf, trouble } = store.report;
    const groups = new Map;
    trouble.event.forEach((event, n) => {
      const pod = podOf[lane[event]];
      const group = groups.get(pod) ?? [];
      group.push({ _tag: "Trouble", event, kind: head.troubleKinds[trouble.kind[n]] });
      groups.set(pod, group);
    });
    const summaries = new Map(head.pods.map((pod) => [pod.lane, pod]));
    const restarts = (pod) => summaries.get(pod)?.restarts ?? -1;
    return [...groups].sort(([a], [b]) => restarts(b) - restarts(a) || a - b).flatMap(([pod, troubles]) => {
      const title = pod < 0 ? "Node" : head.lanes[pod].name;
      const sentence = pod < 0 ? "what belongs to no pod" : summaries.get(pod)?.sentence || "never restarted";
      return [{ _tag: "Head", title, sentence, count: troubles.length }, ...troubles];
    });
  };
  var problemHeight = 56;
  var eventHeight = 52;

  class SidePanel {
    element;
    store;
    problems;
    events = new Uint32Array;
    problemList;
    eventList;
    tabs;
    empty = el("p", { class: "empty" });
    constructor(store) {
      this.store = store;
      this.problems = problemsOf(store);
      this.problemList = new List({
        id: "problems",
        label: "What went wrong",
        rowHeight: problemHeight,
        row: (index) => this.problemRow(index),
        choose: (index) => {
          const problem = this.problems[index];
          const next = problem._tag === "Trouble" ? problem : this.problems[index + 1];
          if (next?._tag === "Trouble")
            store.goTo(next.event);
        }
      });
      this.eventList = new List({
        id: "events",
        label: "Events",
        rowHeight: eventHeight,
        row: (index) => this.eventRow(this.events[index]),
        choose: (index) => store.select(this.events[index])
      });
      const tab = (side, text) => el("button", { type: "button", role: "tab", id: `tab-${side}`, "aria-controls": side }, text);
      this.tabs = { problems: tab("problems", "What went wrong"), events: tab("events", "Events") };
      for (const [side, element] of Object.entries(this.tabs))
        element.addEventListener("click", () => store.set({ side }));
      const bar = el("div", { class: "tabs", role: "tablist", "aria-label": "Lists" }, this.tabs.problems, this.tabs.events);
      bar.addEventListener("keydown", (event) => {
        if (event.key !== "ArrowLeft" && event.key !== "ArrowRight")
          return;
        store.set({ side: store.state.side === "events" ? "problems" : "events" });
        this.tabs[store.state.side].focus();
        event.stopPropagation();
      });
      this.element = el("aside", { class: "side", "aria-label": "Lists" }, bar, this.problemList.element, this.eventList.element, this.empty);
      store.listen((changed) => {
        if (changed.has("shown"))
          this.filter();
        if (["event", "shown", "side", "isUtc", "searching"].some((key) => changed.has(key)))
          this.show();
      });
      this.filter();
      this.show();
    }
    focus() {
      (this.store.state.side === "events" ? this.eventList : this.problemList).element.focus();
    }
    stepTrouble(by) {
      const events = [...this.store.report.trouble.event];
      const { event } = this.store.state;
      const next = by === 1 ? events.find((e) => e > event) : events.findLast((e) => e < event || event < 0);
      if (next !== undefined)
        this.store.goTo(next);
    }
    neighbour(by) {
      const at = this.positionOf(this.store.state.event);
      return at === undefined ? this.events[by === 1 ? 0 : this.events.length - 1] : this.events[at + by];
    }
    show() {
      const { side, event, searching } = this.store.state;
      for (const [name, tab] of Object.entries(this.tabs)) {
        tab.setAttribute("aria-selected", String(name === side));
        tab.tabIndex = name === side ? 0 : -1;
      }
      const troubles = this.store.report.trouble.event.length;
      this.tabs.problems.replaceChildren("What went wrong", el("span", { class: "count" }, countText(troubles)));
      this.tabs.events.replaceChildren("Events", el("span", { class: "count" }, countText(this.events.length)));
      this.problemList.element.hidden = side !== "problems";
      this.eventList.element.hidden = side !== "events";
      const current = this.problems.findIndex((p) => p._tag === "Trouble" && p.event === event);
      this.problemList.show(this.problems.length, current);
      this.eventList.show(this.events.length, this.positionOf(event) ?? -1);
      const isEmpty = side === "problems" ? this.problems.length === 0 : this.events.length === 0;
      this.empty.hidden = !isEmpty;
      this.empty.textContent = side === "problems" ? "Nothing went wrong in this log." : searching ? "Searching the stored events …" : "No event matches.";
    }
    filter() {
      const { report, state } = this.store;
      const { shown } = state;
      const all = Uint32Array.from({ length: report.size }, (_, event) => event);
      this.events = shown === undefined ? all : all.filter((event) => shown[event] === 1);
    }
    positionOf(event) {
      let [low, high] = [0, this.events.length];
      while (low < high) {
        const middle = low + high >> 1;
        if (this.events[middle] < event)
          low = middle + 1;
        else
          high = middle;
      }
      return this.events[low] === event && event >= 0 ? low : undefined;
    }
    problemRow(index) {
      const problem = this.problems[index];
      if (problem._tag === "Head") {
        const title = el("span", { class: "title" }, plain(problem.title), el("span", { class: "count" }, String(problem.count)));
        return {
          className: "head",
          content: [title, el("span", { class: "said", title: plain(problem.sentence) }, plain(problem.sentence))]
        };
      }
      const { report } = this.store;
      return this.row(problem.event, troubleWords[problem.kind] ?? problem.kind, report.head.lanes[report.lane[problem.event]].name, 3);
    }
    eventRow(event) {
      const { report } = this.store;
      return this.row(event, report.tagOf(event), report.laneText(report.lane[event]));
    }
    row(event, what, where, least = 0) {
      const { report, zone } = this.store;
      const at = report.at[event];
      return {
        className: severityClass[Math.max(report.severity[event], least)],
        content: [
          el("span", { class: "title" }, el("span", { class: "what" }, plain(what)), el("span", { class: "where" }, plain(where)), el("time", { datetime: new Date(at).toISOString(), title: dayText(at, zone) }, clockText(at, zone))),
          el("span", { class: "said" }, plain(report.sentence(event)))
        ]
      };
    }
  }
  var countText = (count) => new Intl.NumberFormat("en", { notation: count < 1e4 ? "standard" : "compact" }).format(count);
  var copyButton = (label, text) => {
    const copy = button(label, { class: "quiet" }, () => {
      navigator.clipboard.writeText(text()).then(() => say("Copied"), () => say("The browser did not allow to copy"));
    });
    const say = (word) => {
      copy.textContent = word;
      setTimeout(() => copy.replaceChildren(label), 1200);
    };
    copy.textContent = label;
    return copy;
  };

  // src/reports/viewer/inspector.ts
  var severityWords = ["trace", "debug", "info", "warning", "error"];
  var severityClass2 = ["trace", "debug", "info", "warn", "error"];
  var maxSteps = 500;
  var recentSteps = 6;
  var maxEffects = 40;

  class Inspector {
    element;
    store;
    body = el("div", { class: "inspected" });
    takeDown = () => {};
    showing = -2;
    constructor(store, close) {
      this.store = store;
      const closing = button("Close the event (Esc)", { class: "quiet close", title: "Close (Esc)" }, close, icon("M4 4l8 8M12 4l-8 8"));
      this.element = el("aside", { class: "inspector", "aria-label": "Event", tabindex: "-1" }, closing, this.body);
      store.listen((changed) => {
        if (changed.has("event") || changed.has("lane") || changed.has("isUtc"))
          this.show();
      });
      this.show();
    }
    focus() {
      this.element.focus();
    }
    refresh() {
      this.showing = -2;
      this.show();
    }
    show() {
      const { event, lane } = this.store.state;
      this.takeDown();
      this.takeDown = () => {};
      if (event < 0) {
        this.body.replaceChildren(...this.nothing(lane));
        this.chart(lane);
      } else {
        this.body.replaceChildren(...this.opened(event));
        this.chart(this.store.report.lane[event]);
        this.showStored(event);
        if (event !== this.showing)
          this.element.scrollTop = 0;
      }
      this.showing = event;
    }
    chart(lane) {
      const place = this.body.querySelector(".charts");
      if (lane >= 0 && place !== null)
        this.takeDown = seriesCharts(this.store, lane, place);
    }
    nothing(lane) {
      const { report } = this.store;
      const hint = el("p", { class: "hint" }, "Choose an event or a bar to see what it says, why it happened and what it led to.");
      if (lane < 0)
        return [hint, legend()];
      const { kind } = report.head.lanes[lane];
      const told = report.head.pods.find((pod) => pod.lane === lane)?.sentence ?? "";
      return [
        el("p", { class: "kind" }, kind),
        el("h2", {}, plain(report.laneText(lane))),
        ...told === "" ? [] : [el("p", { class: "said" }, plain(told))],
        el("p", { class: "muted" }, `${report.byLane.of(lane).length.toLocaleString("en")} events`),
        el("div", { class: "charts" }),
        hint
      ];
    }
    opened(event) {
      const { report, zone } = this.store;
      const at = report.at[event];
      const severity = report.severity[event];
      const otherZone = zone === utc ? `local ${momentText(at, local)}` : `UTC ${momentText(at, utc)}`;
      const chain = report.chainOf(event, maxSteps);
      const effects = report.effectsOf(event);
      return [
        el("p", { class: "kind" }, el("span", { class: `badge ${severityClass2[severity]}` }, severityWords[severity]), plain(report.laneText(report.lane[event]))),
        el("h2", {}, plain(report.tagOf(event))),
        el("p", { class: "said" }, plain(report.sentence(event))),
        el("p", { class: "when" }, el("time", { datetime: new Date(at).toISOString() }, momentText(at, zone)), el("span", { class: "muted" }, otherZone)),
        el("h3", {}, "Why"),
        this.chain(chain),
        ...effects.length === 0 ? [] : [
          el("h3", {}, "Led to", el("span", { class: "count" }, String(effects.length))),
          el("ol", { class: "chain effects" }, ...[...effects.subarray(0, maxEffects)].map((effect) => this.step(effect))),
          ...effects.length > maxEffects ? [el("p", { class: "muted" }, `and ${effects.length - maxEffects} more`)] : []
        ],
        el("div", { class: "charts" }),
        el("div", { class: "stored", "aria-busy": "true" })
      ];
    }
    chain(chain) {
      const { report } = this.store;
      const event = chain.at(-1);
      const before = report.cause[chain[0]];
      const steps = chain.slice(0, -1);
      if (steps.length === 0)
        return el("p", { class: "muted" }, before === causeElsewhere ? "Its cause is not in this log." : "It has no cause in the log: it came from outside.");
      const list = el("ol", { class: "chain" });
      const fill = (first) => {
        const more = button(`Show ${first} older causes`, { class: "more" }, () => fill(0), `… ${first} older causes`);
        list.replaceChildren(...first > 0 ? [el("li", { class: "muted" }, more)] : [], ...first === 0 && before !== noCause ? [el("li", { class: "muted" }, before < 0 ? "… a cause that is not in this log" : "… causes before these")] : [], ...steps.slice(first).map((step, n) => this.step(step, steps[first + n + 1] ?? event)), el("li", { class: `here ${severityClass2[report.severity[event]]}`, "aria-current": "step" }, el("span", { class: "what" }, plain(report.tagOf(event)))));
      };
      fill(steps.length > recentSteps + 1 ? steps.length - recentSteps : 0);
      return list;
    }
    step(event, next) {
      const { report } = this.store;
      const after = next === undefined ? undefined : report.at[next] - report.at[event];
      const label = `${report.tagOf(event)}: ${report.sentence(event)}`;
      return el("li", { class: severityClass2[report.severity[event]] }, button(plain(label), {}, () => this.store.select(event), el("span", { class: "what" }, plain(report.tagOf(event))), el("span", { class: "where" }, plain(report.laneText(report.lane[event]))), el("span", { class: "said" }, plain(report.sentence(event)))), ...after === undefined || after < 1 ? [] : [el("span", { class: "after" }, `${lengthText(after)} later`)]);
    }
    async showStored(event) {
      const line = await this.store.report.line(event);
      const place = this.body.querySelector(".stored");
      if (event !== this.store.state.event || place === null)
        return;
      place.removeAttribute("aria-busy");
      let stored;
      try {
        stored = JSON.parse(line);
      } catch {
        place.replaceChildren(el("pre", {}, plain(line)));
        return;
      }
      const { command, data, ...envelope } = stored;
      const id = String(stored.id);
      place.replaceChildren(el("h3", {}, "Data"), jsonTree(data), ...typeof command === "string" ? [folded("The command that was decided", jsonTree(parsed(command)))] : [], folded("Envelope", jsonTree(envelope)), el("div", { class: "copies" }, copyButton("Copy id", () => id), copyButton("Copy event", () => line), copyButton("Copy “why” command", () => `chronode why ${id} --from ${quoted(this.store.report.head.file)}`)));
    }
  }
  var parsed = (text) => {
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  };
  var quoted = (text) => /^[\w./-]+$/u.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
  var folded = (title, content) => el("details", {}, el("summary", {}, title), content);

  // src/reports/viewer/gestures.ts
  var slack = 4;
  var wheelZoom = 0.0022;
  var wheelUnits = [1, 16, 400];
  var pointerGestures = (element, gestures) => {
    const place = (event) => {
      const box = element.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    const down = new Map;
    let moved = 0;
    element.addEventListener("pointerdown", (event) => {
      if (event.button !== 0)
        return;
      const [x, y] = place(event);
      if (down.size === 0)
        moved = 0;
      down.set(event.pointerId, { x, y });
      element.setPointerCapture(event.pointerId);
    });
    element.addEventListener("pointermove", (event) => {
      const [x, y] = place(event);
      const last = down.get(event.pointerId);
      if (last === undefined)
        return gestures.hover(x, y);
      moved += Math.abs(x - last.x) + Math.abs(y - last.y);
      const other = [...down].find(([id]) => id !== event.pointerId)?.[1];
      if (other !== undefined) {
        const [before, now] = [Math.abs(last.x - other.x), Math.abs(x - other.x)];
        if (before > 10 && now > 10)
          gestures.zoom(before / now, (x + other.x) / 2);
      } else if (moved > slack)
        gestures.pan(x - last.x);
      down.set(event.pointerId, { x, y });
    });
    const up = (event) => {
      if (!down.delete(event.pointerId))
        return;
      const [x, y] = place(event);
      if (event.type === "pointerup" && moved <= slack && down.size === 0)
        gestures.press(x, y);
    };
    element.addEventListener("pointerup", up);
    element.addEventListener("pointercancel", up);
    element.addEventListener("pointerleave", () => gestures.leave());
    element.addEventListener("dblclick", (event) => gestures.enter(...place(event)));
    element.addEventListener("wheel", (event) => {
      const unit = wheelUnits[event.deltaMode] ?? 1;
      if (event.ctrlKey || event.metaKey || event.altKey) {
        event.preventDefault();
        return gestures.zoom(Math.exp(event.deltaY * unit * wheelZoom), place(event)[0]);
      }
      const sideways = event.shiftKey && event.deltaX === 0 ? event.deltaY : event.deltaX;
      if (Math.abs(sideways) <= Math.abs(event.deltaY) && !event.shiftKey)
        return;
      event.preventDefault();
      gestures.pan(-sideways * unit);
    }, { passive: false });
  };

  // src/reports/viewer/layout.ts
  var rowHeight = 30;
  var groupHeight = 36;
  var layOut = (lanes, folded, isShown) => {
    const wanted = new Uint8Array(lanes.length);
    for (let lane = lanes.length - 1;lane >= 0; lane--) {
      if (wanted[lane] === 0 && !isShown(lane))
        continue;
      for (let at = lane;at >= 0; at = lanes[at].parent)
        wanted[at] = 1;
    }
    const rows = [];
    const rowOf = new Int32Array(lanes.length).fill(-1);
    const hidden = new Uint8Array(lanes.length);
    let top = 0;
    lanes.forEach(({ kind, parent }, lane) => {
      if (parent >= 0 && (hidden[parent] === 1 || folded.has(parent)))
        hidden[lane] = 1;
      if (hidden[lane] === 1 || wanted[lane] === 0)
        return;
      const height = kind === "pod" ? groupHeight : rowHeight;
      rowOf[lane] = rows.length;
      rows.push({ lane, top, height, isGroup: kind === "pod" });
      top += height;
    });
    return { rows, height: top, rowOf };
  };
  var rowAt = ({ rows }, y) => {
    let [low, high] = [0, rows.length];
    while (low < high) {
      const middle = low + high >> 1;
      const row = rows[middle];
      if (row.top + row.height <= y)
        low = middle + 1;
      else
        high = middle;
    }
    return low;
  };

  // src/reports/viewer/shapes.ts
  var arrowhead = (context, x, y, dx, dy) => {
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(x - 5 * dx - 3 * dy, y - 5 * dy - 3 * dx);
    context.lineTo(x - 5 * dx + 3 * dy, y - 5 * dy + 3 * dx);
    context.fill();
  };
  var drawMark = (context, colours, x, y, severity) => {
    context.fillStyle = colours.severity[severity];
    context.beginPath();
    if (severity >= 3) {
      const size = 4.5;
      context.moveTo(x, y - size);
      context.lineTo(x + size, y);
      context.lineTo(x, y + size);
      context.lineTo(x - size, y);
    } else
      context.arc(x, y, severity === 2 ? 2.5 : 1.75, 0, Math.PI * 2);
    context.fill();
  };
  var fittedTexts = new Map;
  var maxFitted = 5000;
  var fitted = (context, text, room) => {
    const key = `${context.font}|${Math.floor(room)}|${text}`;
    const known = fittedTexts.get(key);
    if (known !== undefined)
      return known;
    let short = text;
    if (context.measureText(text).width > room) {
      let [low, high] = [0, text.length];
      while (low < high) {
        const middle = low + high + 1 >> 1;
        if (context.measureText(`${text.slice(0, middle)}…`).width <= room)
          low = middle;
        else
          high = middle - 1;
      }
      short = low === 0 ? "" : `${text.slice(0, low)}…`;
    }
    if (fittedTexts.size >= maxFitted)
      fittedTexts.clear();
    fittedTexts.set(key, short);
    return short;
  };

  // src/reports/viewer/scene.ts
  var barHeight = 13;
  var minShape = 3;
  var crowded = 8;
  var steep = 12;
  var maxArrows = 300;
  var maxChain = 200;
  var plainKinds = new Set(["container", "probe", "pod", "endpoint"]);
  var xOf = (at, { view }, { gutter, width }) => gutter + (at - view.from) / (view.to - view.from) * (width - gutter);
  var barTop = (row) => row.top + (row.isGroup ? 8 : 5);
  var markY = (row) => row.top + row.height - 7;
  var membersOf = (report, row, folded) => row.isGroup && folded.has(row.lane) ? report.byPod.of(row.lane) : report.byLane.of(row.lane);

  class Scene {
    report;
    constructor(report) {
      this.report = report;
    }
    draw(frame, state) {
      const { context, gutter, height, layout, scroll, width } = frame;
      context.clearRect(0, 0, width, height);
      const first = rowAt(layout, scroll);
      context.save();
      context.translate(0, -scroll);
      context.font = frame.font;
      context.textBaseline = "middle";
      const rows = [];
      for (let i = first;i < layout.rows.length; i++) {
        const row = layout.rows[i];
        if (row.top > scroll + height)
          break;
        rows.push(row);
      }
      for (const row of rows)
        this.drawBand(frame, state, row);
      this.drawGrid(frame);
      context.save();
      context.beginPath();
      context.rect(gutter, scroll, width - gutter, height);
      context.clip();
      for (const row of rows)
        this.drawBars(frame, state, row);
      if (state.causes)
        this.drawAllCauses(frame, state, rows);
      for (const row of rows)
        this.drawMarks(frame, state, row);
      this.drawSelection(frame, state);
      context.restore();
      for (const row of rows)
        this.drawName(frame, state, row);
      context.restore();
      context.fillStyle = frame.colours.line;
      context.fillRect(gutter - 1, 0, 1, height);
    }
    drawBand({ colours, context, width }, state, row) {
      if (row.isGroup) {
        context.fillStyle = colours.band;
        context.fillRect(0, row.top, width, row.height);
      }
      if (row.lane === state.lane) {
        context.fillStyle = colours.accentSoft;
        context.fillRect(0, row.top, width, row.height);
      }
      context.fillStyle = colours.line;
      context.globalAlpha = row.isGroup ? 1 : 0.5;
      context.fillRect(0, row.top + row.height - 1, width, 1);
      context.globalAlpha = 1;
    }
    drawGrid({ colours, context, grid, height, scroll }) {
      context.fillStyle = colours.line;
      context.globalAlpha = 0.6;
      for (const x of grid)
        context.fillRect(Math.round(x), scroll, 1, height);
      context.globalAlpha = 1;
    }
    drawName({ colours, context, gutter, layout, width: _, font }, state, row) {
      const { depth, kind, name } = this.report.head.lanes[row.lane];
      const x = 12 + (row.isGroup ? 14 : depth * 12 + 2);
      const y = row.top + row.height / 2;
      if (row.isGroup) {
        const isFolded = state.folded.has(row.lane);
        context.fillStyle = colours.muted;
        context.beginPath();
        if (isFolded) {
          context.moveTo(10, y - 4);
          context.lineTo(15, y);
          context.lineTo(10, y + 4);
        } else {
          context.moveTo(8, y - 2);
          context.lineTo(16, y - 2);
          context.lineTo(12, y + 3);
        }
        context.fill();
      }
      context.font = row.isGroup ? `600 ${font}` : font;
      const isSelected = row.lane === state.lane;
      context.fillStyle = isSelected ? colours.accent : row.isGroup || depth === 0 ? colours.ink : colours.muted;
      const label = plainKinds.has(kind) || kind === name ? name : `${kind} ${name}`;
      context.fillText(fitted(context, label, gutter - x - 10), x, y);
      context.font = font;
      if (layout.rows[0] === undefined)
        return;
    }
    drawBars(frame, state, row) {
      const { colours, context, gutter, width } = frame;
      const { bar, head } = this.report;
      const members = bar.byLane.of(row.lane);
      const y = barTop(row);
      const begin = Math.max(firstFrom(members, bar.from, state.view.from) - 1, 0);
      let covered = Number.NEGATIVE_INFINITY;
      for (let i = begin;i < members.length; i++) {
        const index = members[i];
        if (bar.from[index] > state.view.to)
          break;
        const x = Math.max(xOf(bar.from[index], state, frame), gutter - 4);
        const end = Math.min(xOf(bar.to[index], state, frame), width + 4);
        if (end < gutter)
          continue;
        const stateName = head.states[bar.state[index]];
        const tone = colours.tone[toneOf(stateName)];
        if (end - x < minShape) {
          const pixel = Math.floor(x);
          const isBad = toneOf(stateName) === "bad" || toneOf(stateName) === "backoff";
          if (pixel === covered && !isBad)
            continue;
          covered = pixel;
          context.fillStyle = tone.strong;
          context.fillRect(pixel, y, Math.max(end - x, 1.5), barHeight);
          continue;
        }
        context.fillStyle = tone.soft;
        context.beginPath();
        context.roundRect(x, y, end - x - 1, barHeight, 3);
        context.fill();
        context.fillStyle = tone.strong;
        context.beginPath();
        context.roundRect(x, y, Math.min(3, end - x), barHeight, [3, 0, 0, 3]);
        context.fill();
        const room = end - Math.max(x, gutter) - 12;
        if (room > 22) {
          context.fillStyle = tone.ink;
          context.fillText(fitted(context, stateName, room), Math.max(x, gutter) + 7, y + barHeight / 2 + 0.5);
        }
      }
    }
    drawMarks(frame, state, row) {
      const { at, severity } = this.report;
      const { colours, context } = frame;
      const members = membersOf(this.report, row, state.folded);
      const y = markY(row);
      const pixels = [];
      const worst = [];
      for (let i = firstFrom(members, at, state.view.from);i < members.length; i++) {
        const event = members[i];
        if (at[event] > state.view.to)
          break;
        if (state.shown !== undefined && state.shown[event] !== 1)
          continue;
        const pixel = Math.floor(xOf(at[event], state, frame));
        if (pixels.at(-1) !== pixel) {
          pixels.push(pixel);
          worst.push(severity[event]);
        } else
          worst[worst.length - 1] = Math.max(worst.at(-1), severity[event]);
      }
      pixels.forEach((pixel, i) => {
        const room = Math.min(pixel - (pixels[i - 1] ?? -99), (pixels[i + 1] ?? 1e9) - pixel);
        if (room >= crowded)
          drawMark(context, colours, pixel + 0.5, y, worst[i]);
        else {
          context.fillStyle = colours.severity[worst[i]];
          context.fillRect(pixel, y - 3, 1, worst[i] >= 3 ? 7 : 5);
        }
      });
    }
    drawAllCauses(frame, state, rows) {
      const { at, byLane, cause, lane } = this.report;
      const arrows = [];
      for (const row of rows) {
        const members = byLane.of(row.lane);
        for (let i = firstFrom(members, at, state.view.from);i < members.length; i++) {
          const event = members[i];
          if (at[event] > state.view.to)
            break;
          const from = cause[event];
          if (from < 0 || lane[from] === row.lane || state.shown !== undefined && state.shown[event] !== 1)
            continue;
          arrows.push(event);
          if (arrows.length > maxArrows)
            return;
        }
      }
      frame.context.globalAlpha = 0.55;
      for (const event of arrows)
        this.drawArrow(frame, state, cause[event], event, frame.colours.faint, 1);
      frame.context.globalAlpha = 1;
    }
    drawSelection(frame, state) {
      const { colours, context, height, hover, layout, scroll } = frame;
      if (state.event >= 0) {
        const x = xOf(this.report.at[state.event], state, frame);
        context.fillStyle = colours.accent;
        context.globalAlpha = 0.35;
        context.fillRect(x - 0.5, scroll, 1, height);
        context.globalAlpha = 1;
        const chain = this.report.chainOf(state.event, maxChain);
        for (let i = 1;i < chain.length; i++)
          this.drawArrow(frame, state, chain[i - 1], chain[i], colours.accent, 1.75);
        const effects = this.report.effectsOf(state.event);
        context.setLineDash([3, 3]);
        for (const effect of effects.subarray(0, maxChain))
          this.drawArrow(frame, state, state.event, effect, colours.accent, 1.25);
        context.setLineDash([]);
        for (const step of chain)
          this.ring(frame, state, layout, step, step === state.event ? 6 : 4);
      }
      if (hover >= 0)
        this.ring(frame, state, layout, hover, 6);
    }
    ring(frame, state, layout, event, radius) {
      const row = layout.rows[layout.rowOf[this.report.lane[event]]];
      if (row === undefined)
        return;
      const { colours, context } = frame;
      const x = xOf(this.report.at[event], state, frame);
      context.beginPath();
      context.arc(x, markY(row), radius, 0, Math.PI * 2);
      context.fillStyle = colours.panel;
      context.fill();
      drawMark(context, colours, x, markY(row), this.report.severity[event]);
      context.strokeStyle = colours.accent;
      context.lineWidth = 2;
      context.beginPath();
      context.arc(x, markY(row), radius, 0, Math.PI * 2);
      context.stroke();
    }
    drawArrow(frame, state, cause, effect, colour, width) {
      const { context, layout } = frame;
      const { at, lane } = this.report;
      const from = layout.rows[layout.rowOf[lane[cause]]];
      const to = layout.rows[layout.rowOf[lane[effect]]];
      if (from === undefined || to === undefined)
        return;
      const [x1, y1] = [xOf(at[cause], state, frame), markY(from)];
      const [x2, y2] = [xOf(at[effect], state, frame), markY(to)];
      context.strokeStyle = colour;
      context.fillStyle = colour;
      context.lineWidth = width;
      context.beginPath();
      context.moveTo(x1, y1);
      if (y1 === y2) {
        if (x2 - x1 < 4)
          return;
        const lift = Math.min(14, 4 + (x2 - x1) / 12);
        context.bezierCurveTo(x1 + (x2 - x1) * 0.25, y1 - lift, x2 - (x2 - x1) * 0.25, y2 - lift, x2, y2);
        context.stroke();
        return;
      }
      const isDown = y2 > y1 ? 1 : -1;
      if (Math.abs(x2 - x1) < steep) {
        context.bezierCurveTo(x1 + steep, y1 + 6 * isDown, x2 + steep, y2 - 10 * isDown, x2 + 1, y2 - 5 * isDown);
        context.stroke();
        arrowhead(context, x2 + 1, y2 - 4 * isDown, 0, isDown);
        return;
      }
      const bend = Math.min(Math.max(Math.abs(x2 - x1) / 2, 10), 60);
      context.bezierCurveTo(x1 + bend, y1, x2 - bend, y2, x2 - 5, y2);
      context.stroke();
      arrowhead(context, x2 - 3, y2, 1, 0);
    }
  }

  // src/reports/viewer/panel.ts
  var axisHeight = 30;
  var tickRoom = 96;
  var reach = 9;
  var font2 = "12px ui-sans-serif, system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', sans-serif";

  class Panel {
    element;
    store;
    scene;
    axis = el("canvas", { class: "axis", "aria-hidden": "true" });
    canvas = el("canvas", {
      class: "lanes",
      tabindex: "0",
      role: "application",
      "aria-roledescription": "timeline",
      "aria-label": "Timeline of lanes. Arrow keys move from event to event and from lane to lane, Enter opens the event."
    });
    spacer = el("div", { class: "spacer" });
    scroller = el("div", { class: "scroller" }, this.canvas, this.spacer);
    tip = el("div", { class: "tip", "aria-hidden": "true", hidden: "" });
    layout;
    colours;
    hover = -1;
    wanted = false;
    size = { width: 0, height: 0, ratio: 1 };
    constructor(store) {
      this.store = store;
      this.scene = new Scene(store.report);
      this.colours = readColours();
      this.layout = this.layOut();
      this.element = el("section", { class: "timeline", "aria-label": "Timeline" }, this.axis, this.scroller, this.tip);
      new ResizeObserver(() => this.resize()).observe(this.scroller);
      this.scroller.addEventListener("scroll", () => this.ask(), { passive: true });
      store.listen((changed) => {
        if (changed.has("shown") || changed.has("folded")) {
          this.layout = this.layOut();
          this.spacer.style.height = `${Math.max(this.layout.height - this.size.height, 0)}px`;
        }
        if (changed.has("event") || changed.has("lane"))
          this.reveal();
        this.ask();
      });
      pointerGestures(this.canvas, {
        hover: (x, y) => this.point(x, y),
        leave: () => this.point(-1, -1),
        press: (x, y) => this.press(x, y),
        pan: (pixels) => store.pan(-pixels / (this.size.width - this.gutter)),
        zoom: (factor, x) => store.zoom(factor, this.timeAt(x)),
        enter: (x, y) => {
          const event = this.eventAt(x, y);
          if (event >= 0)
            store.goTo(event);
        }
      });
    }
    get gutter() {
      return this.size.width < 560 ? 112 : this.size.width < 900 ? 168 : 208;
    }
    repaint() {
      this.colours = readColours();
      this.ask();
    }
    focus() {
      this.canvas.focus({ preventScroll: true });
    }
    visibleLanes() {
      return this.layout.rows.map((row) => row.lane);
    }
    layOut() {
      const { byLane, head } = this.store.report;
      const { folded, shown } = this.store.state;
      return layOut(head.lanes, folded, (lane) => shown === undefined || byLane.of(lane).some((event) => shown[event] === 1));
    }
    resize() {
      const width = this.scroller.clientWidth;
      const height = this.scroller.clientHeight;
      if (width === 0 || height === 0)
        return;
      const ratio = window.devicePixelRatio;
      this.size = { width, height, ratio };
      for (const [canvas, tall] of [
        [this.canvas, height],
        [this.axis, axisHeight]
      ]) {
        canvas.width = Math.round(width * ratio);
        canvas.height = Math.round(tall * ratio);
        canvas.style.width = `${width}px`;
        canvas.style.height = `${tall}px`;
      }
      this.spacer.style.height = `${Math.max(this.layout.height - height, 0)}px`;
      this.draw();
    }
    ask() {
      if (this.wanted)
        return;
      this.wanted = true;
      requestAnimationFrame(() => this.draw());
    }
    draw() {
      this.wanted = false;
      const { height, ratio, width } = this.size;
      const context = this.canvas.getContext("2d");
      if (width === 0 || context === null)
        return;
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      const { gutter } = this;
      const { from, to } = this.store.state.view;
      const marks = ticks2(from, to, Math.max(2, Math.floor((width - gutter) / tickRoom)), this.store.zone);
      const base = { context, width, height, gutter, font: font2, colours: this.colours, layout: this.layout, hover: this.hover };
      const grid = marks.map((tick) => xOf(tick.at, this.store.state, base));
      const frame = { ...base, scroll: this.scroller.scrollTop, grid };
      this.scene.draw(frame, this.store.state);
      this.drawAxis(marks, grid);
      performance.mark("chronode-drawn");
    }
    drawAxis(marks, grid) {
      const context = this.axis.getContext("2d");
      if (context === null)
        return;
      const { ratio, width } = this.size;
      const { colours, gutter, store } = this;
      const { from, to } = store.state.view;
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, width, axisHeight);
      context.font = font2;
      context.textBaseline = "middle";
      context.fillStyle = colours.muted;
      context.fillText(dayText(Math.max(from, store.report.head.from), store.zone), 12, axisHeight / 2);
      context.textAlign = "right";
      if (gutter > 150)
        context.fillText(lengthText(to - from), gutter - 12, axisHeight / 2);
      context.textAlign = "left";
      for (const [i, tick] of marks.entries()) {
        const x = grid[i];
        if (x < gutter)
          continue;
        context.fillStyle = colours.line;
        context.fillRect(Math.round(x), axisHeight - 7, 1, 7);
        context.fillStyle = tick.isDay ? colours.ink : colours.muted;
        const text = tick.label;
        if (x + 5 + context.measureText(text).width < width)
          context.fillText(text, x + 5, axisHeight / 2);
      }
    }
    timeAt(x) {
      const { from, to } = this.store.state.view;
      return from + (x - this.gutter) / (this.size.width - this.gutter) * (to - from);
    }
    eventAt(x, y) {
      const inside = y + this.scroller.scrollTop;
      const row = this.layout.rows[rowAt(this.layout, inside)];
      if (x < this.gutter || row === undefined || y < 0)
        return -1;
      const { at, severity } = this.store.report;
      const { shown } = this.store.state;
      const members = membersOf(this.store.report, row, this.store.state.folded);
      const perPixel = this.timeAt(x + 1) - this.timeAt(x);
      let best = -1;
      let nearest = reach;
      const time = this.timeAt(x);
      for (let i = firstFrom(members, at, time - reach * perPixel);i < members.length; i++) {
        const event = members[i];
        if (at[event] > time + reach * perPixel)
          break;
        if (shown !== undefined && shown[event] !== 1)
          continue;
        const distance = Math.abs(at[event] - time) / perPixel;
        if (distance < nearest - 0.5 || distance <= nearest + 0.5 && best >= 0 && severity[event] > severity[best]) {
          best = event;
          nearest = Math.min(distance, nearest);
        }
      }
      return best;
    }
    barAt(x, y) {
      const row = this.layout.rows[rowAt(this.layout, y + this.scroller.scrollTop)];
      if (x < this.gutter || row === undefined || y < 0)
        return -1;
      const { bar } = this.store.report;
      const time = this.timeAt(x);
      const members = bar.byLane.of(row.lane);
      const index = members[firstFrom(members, bar.from, time + 0.000001) - 1];
      return index !== undefined && bar.to[index] >= time ? index : -1;
    }
    point(x, y) {
      const event = this.eventAt(x, y);
      const bar = event >= 0 ? -1 : this.barAt(x, y);
      this.canvas.style.cursor = event >= 0 || bar >= 0 ? "pointer" : x < this.gutter && x >= 0 ? "default" : "grab";
      if (event !== this.hover) {
        this.hover = event;
        this.ask();
      }
      this.tip.hidden = event < 0 && bar < 0;
      if (this.tip.hidden)
        return;
      this.tip.replaceChildren(...event >= 0 ? this.tipOfEvent(event) : this.tipOfBar(bar));
      const room = this.element.clientWidth - this.tip.offsetWidth - 8;
      const top = y + axisHeight + 18;
      const below = top + this.tip.offsetHeight < this.element.clientHeight;
      this.tip.style.transform = `translate(${Math.max(8, Math.min(x + 12, room))}px, ${below ? top : top - this.tip.offsetHeight - 34}px)`;
    }
    tipOfEvent(event) {
      const { report, zone } = this.store;
      return [
        el("b", {}, plain(report.tagOf(event))),
        el("span", { class: "when" }, momentText(report.at[event], zone)),
        el("span", {}, plain(report.laneText(report.lane[event]))),
        el("span", { class: "said" }, plain(report.sentence(event)))
      ];
    }
    tipOfBar(bar) {
      const { report, zone } = this.store;
      const { event, from, open, state, to } = report.bar;
      const length = lengthText(to[bar] - from[bar]);
      return [
        el("b", {}, report.head.states[state[bar]]),
        el("span", { class: "when" }, momentText(from[bar], zone)),
        el("span", {}, open[bar] === 1 ? `${length}, and on` : length),
        el("span", { class: "said" }, plain(report.sentence(event[bar])))
      ];
    }
    press(x, y) {
      const row = this.layout.rows[rowAt(this.layout, y + this.scroller.scrollTop)];
      if (row === undefined)
        return;
      if (x < this.gutter) {
        const { folded } = this.store.state;
        if (!row.isGroup)
          this.store.set({ lane: row.lane });
        else
          this.store.set({ lane: row.lane, folded: toggled(folded, row.lane) });
        return;
      }
      const event = this.eventAt(x, y);
      const bar = event >= 0 ? -1 : this.barAt(x, y);
      if (event >= 0)
        this.store.select(event);
      else if (bar >= 0)
        this.store.select(this.store.report.bar.event[bar]);
      else
        this.store.set({ lane: row.lane });
    }
    reveal() {
      const { lane } = this.store.state;
      const row = this.layout.rows[lane < 0 ? -1 : this.layout.rowOf[lane]];
      if (row === undefined)
        return;
      const { scrollTop } = this.scroller;
      const low = markY(row) + 20 - this.size.height;
      if (row.top < scrollTop)
        this.scroller.scrollTop = row.top;
      else if (low > scrollTop)
        this.scroller.scrollTop = low;
    }
  }
  var toggled = (set, member) => {
    const changed = new Set(set);
    if (!changed.delete(member))
      changed.add(member);
    return changed;
  };

  // src/reports/viewer/keys.ts
  var panStep = 0.2;
  var stepInLane = (store, actions, by) => {
    const { event, lane, shown } = store.state;
    const { at, byLane } = store.report;
    if (lane < 0) {
      const next = actions.neighbour(by);
      if (next !== undefined)
        store.select(next);
      return;
    }
    const members = byLane.of(lane);
    const own = members.indexOf(event);
    const { from, to } = store.state.view;
    let i = own >= 0 ? own + by : by === 1 ? firstFrom(members, at, from) : firstFrom(members, at, to) - 1;
    while (i >= 0 && i < members.length && shown !== undefined && shown[members[i]] !== 1)
      i += by;
    const next = members[i];
    if (next !== undefined)
      store.select(next);
  };
  var stepLane = (store, actions, by) => {
    const lanes = actions.visibleLanes();
    const at = lanes.indexOf(store.state.lane);
    const lane = lanes[at < 0 ? by === 1 ? 0 : lanes.length - 1 : Math.min(Math.max(at + by, 0), lanes.length - 1)];
    if (lane === undefined || lane === store.state.lane)
      return;
    const { event, shown } = store.state;
    const { byLane, at: times } = store.report;
    if (event < 0) {
      store.set({ lane });
      return;
    }
    const members = byLane.of(lane).filter((member) => shown === undefined || shown[member] === 1);
    const i = firstFrom(members, times, times[event]);
    const [before, after] = [members[i - 1], members[i]];
    const isBefore = after === undefined || before !== undefined && times[event] - times[before] < times[after] - times[event];
    const near = isBefore ? before : after;
    if (near === undefined)
      store.set({ lane, event: -1 });
    else
      store.select(near);
  };
  var listenToKeys = (store, actions) => {
    const plainKeys = {
      "/": actions.focusSearch,
      "?": actions.help,
      Escape: actions.close,
      ArrowLeft: () => stepInLane(store, actions, -1),
      ArrowRight: () => stepInLane(store, actions, 1),
      ArrowUp: () => stepLane(store, actions, -1),
      ArrowDown: () => stepLane(store, actions, 1),
      Home: () => fit(store),
      Enter: () => {
        const { event, folded, lane } = store.state;
        if (event >= 0)
          actions.focusInspector();
        else if (lane >= 0 && store.report.head.lanes[lane].kind === "pod")
          store.set({ folded: toggled(folded, lane) });
        else
          stepInLane(store, actions, 1);
      },
      n: () => actions.trouble(1),
      p: () => actions.trouble(-1),
      w: () => {
        const cause = store.report.cause[store.state.event] ?? -1;
        if (cause >= 0)
          store.select(cause);
      },
      c: () => store.set({ causes: !store.state.causes }),
      u: () => store.set({ isUtc: !store.state.isUtc }),
      t: actions.theme,
      "+": () => store.zoom(1 / zoomStep),
      "=": () => store.zoom(1 / zoomStep),
      "-": () => store.zoom(zoomStep),
      "−": () => store.zoom(zoomStep),
      "0": () => fit(store)
    };
    const shiftKeys = {
      ArrowLeft: () => store.pan(-panStep),
      ArrowRight: () => store.pan(panStep)
    };
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented)
        return;
      const target = event.target;
      if (document.querySelector("dialog[open]") !== null)
        return;
      if (target instanceof HTMLInputElement) {
        if (event.key === "Escape") {
          if (target.value === "")
            target.blur();
          target.value = "";
          store.set({ search: "" });
        } else if (event.key === "Enter" || event.key === "ArrowDown") {
          const first = actions.neighbour(1);
          if (store.state.event < 0 && first !== undefined)
            store.select(first);
          actions.focusTimeline();
        } else
          return;
        event.preventDefault();
        return;
      }
      if (event.key === "Enter" && target.closest("button, summary, a") !== null)
        return;
      const act = (event.shiftKey ? shiftKeys[event.key] : undefined) ?? plainKeys[event.key];
      if (act === undefined)
        return;
      event.preventDefault();
      act();
    });
  };

  // src/reports/viewer/query.ts
  var levels = { trace: 0, debug: 1, info: 2, warn: 3, warning: 3, error: 4 };
  var termPattern = /(?:(type|pod|kind|severity):)?(?:"([^"]*)"|(\S+))/gu;
  var parseQuery = (text) => {
    const query = {
      words: [],
      type: [],
      pod: [],
      kind: []
    };
    let severity = 0;
    for (const [, field, quoted, word] of text.toLowerCase().matchAll(termPattern)) {
      const value = quoted ?? word ?? "";
      if (value === "")
        continue;
      if (field === undefined)
        query.words.push(value);
      else if (field === "severity")
        severity = Math.max(severity, levels[value] ?? 0);
      else
        query[field].push(value);
    }
    return { ...query, severity };
  };
  var fits = ({ kind, pod, severity, type }, event) => event.severity >= severity && (type.length === 0 || type.some((t) => event.type.includes(t))) && (pod.length === 0 || pod.some((p) => event.pod.includes(p))) && (kind.length === 0 || kind.includes(event.kind));
  var hasWords = (words, text) => words.every((w) => text.includes(w));

  // src/reports/viewer/search.ts
  var rest = 150;

  class Search {
    store;
    places;
    tags;
    lower = [];
    round = 0;
    constructor(store) {
      this.store = store;
      const { report } = store;
      this.tags = report.head.tags.map((tag) => tag.toLowerCase());
      this.places = report.head.lanes.map(({ kind }, lane) => {
        const pod = report.podOf[lane];
        const text = report.laneText(lane).toLowerCase();
        return { kind, text, pod: pod < 0 ? "" : report.head.lanes[pod].name.toLowerCase() };
      });
      store.listen((changed) => {
        if (changed.has("search") || changed.has("least"))
          this.run();
      });
    }
    run() {
      const { report, state } = this.store;
      const round = ++this.round;
      const query = parseQuery(state.search);
      const severity = Math.max(query.severity, state.least);
      if (state.search.trim() === "" && severity === 0) {
        this.store.set({ shown: undefined, shownCount: report.size, searching: false });
        return;
      }
      const shown = new Uint8Array(report.size);
      const open = new Uint8Array(report.size);
      let count = 0;
      for (let event = 0;event < report.size; event++) {
        if (!this.fits({ ...query, severity }, event))
          continue;
        if (query.words.length === 0 || hasWords(query.words, this.text(report, event))) {
          shown[event] = 1;
          count += 1;
        } else
          open[event] = 1;
      }
      const deep = query.words.length > 0;
      this.store.set({ shown, shownCount: count, searching: deep });
      if (deep)
        setTimeout(() => void this.searchLines(query.words, shown, open, count, round), rest);
    }
    fits(query, event) {
      const { report } = this.store;
      const place = this.places[report.lane[event]];
      const severity = report.severity[event];
      return fits(query, { severity, type: this.tags[report.tag[event]], pod: place.pod, kind: place.kind });
    }
    text(report, event) {
      const place = this.places[report.lane[event]];
      const sentence = this.lower[event] ?? report.sentence(event).toLowerCase();
      this.lower[event] = sentence;
      return `${this.tags[report.tag[event]]} ${place.text} ${sentence}`;
    }
    async searchLines(words, quick, open, count, round) {
      const { report } = this.store;
      const shown = quick.slice();
      let found = count;
      for (let block = 0;block < report.blockCount(); block++) {
        const first = block * blockEvents;
        if (!open.subarray(first, first + blockEvents).includes(1))
          continue;
        const lines = await report.block(block);
        if (round !== this.round)
          return;
        lines.forEach((line, n) => {
          if (open[first + n] !== 1 || !hasWords(words, line.toLowerCase()))
            return;
          shown[first + n] = 1;
          found += 1;
        });
      }
      this.store.set(found === count ? { searching: false } : { shown, shownCount: found, searching: false });
    }
  }

  // src/reports/viewer/state.ts
  var minSpan = 5;
  var margin = 0.02;

  class Store {
    report;
    state;
    listeners = [];
    pending = new Set;
    constructor(report) {
      this.report = report;
      this.state = {
        view: { from: 0, to: 1 },
        event: -1,
        lane: -1,
        search: "",
        least: 0,
        shown: undefined,
        shownCount: report.size,
        searching: false,
        folded: report.head.lanes.length > unfoldedLanes ? podsOf(report) : new Set,
        side: report.trouble.event.length > 0 ? "problems" : "events",
        isUtc: true,
        causes: true
      };
      this.state = { ...this.state, view: this.whole() };
    }
    get zone() {
      return this.state.isUtc ? utc : local;
    }
    listen(listener) {
      this.listeners.push(listener);
    }
    set(change) {
      const keys = Object.keys(change).filter((key) => change[key] !== this.state[key]);
      if (keys.length === 0)
        return;
      this.state = { ...this.state, ...change };
      if (this.pending.size === 0)
        requestAnimationFrame(() => this.tell());
      for (const key of keys)
        this.pending.add(key);
    }
    whole() {
      const { from, to } = this.report.head;
      const span = Math.max(to - from, 1000);
      return { from: from - span * margin, to: from + span * (1 + margin) };
    }
    setView(from, to) {
      const whole = this.whole();
      const span = Math.min(Math.max(to - from, minSpan), whole.to - whole.from);
      const begin = Math.min(Math.max(from, whole.from), whole.to - span);
      this.set({ view: { from: begin, to: begin + span } });
    }
    zoom(factor, around) {
      const { event, view } = this.state;
      const selected = event >= 0 ? this.report.at[event] : Number.NaN;
      const isSeen = selected >= view.from && selected <= view.to;
      const fixed = around ?? (isSeen ? selected : (view.from + view.to) / 2);
      this.setView(fixed - (fixed - view.from) * factor, fixed + (view.to - fixed) * factor);
    }
    pan(part) {
      const { from, to } = this.state.view;
      const by = (to - from) * part;
      this.setView(from + by, to + by);
    }
    select(event) {
      const { at, lane } = this.report;
      const { folded, view } = this.state;
      const time = at[event];
      const pod = this.report.podOf[lane[event]];
      this.set({
        event,
        lane: lane[event],
        ...folded.has(pod) && lane[event] !== pod ? { folded: new Set([...folded].filter((p) => p !== pod)) } : {}
      });
      const edge = (view.to - view.from) * 0.05;
      if (time >= view.from + edge && time <= view.to - edge)
        return;
      const half = (view.to - view.from) / 2;
      this.setView(time - half, time + half);
    }
    goTo(event) {
      const { at, head } = this.report;
      const chain = this.report.chainOf(event, chainInView);
      const to = at[event];
      const from = Math.max(at[chain[0]], to - (head.to - head.from) / 4);
      const { view } = this.state;
      const wanted = Math.max((to - from) * 1.6, 2000);
      if (view.to - view.from > wanted * 4)
        this.setView(to - wanted * 0.75, to + wanted * 0.25);
      this.select(event);
    }
    tell() {
      const changed = this.pending;
      this.pending = new Set;
      for (const listener of this.listeners)
        listener(changed);
    }
  }
  var unfoldedLanes = 60;
  var podsOf = ({ head }) => new Set(head.lanes.flatMap(({ kind }, lane) => kind === "pod" ? [lane] : []));
  var chainInView = 12;

  // src/reports/viewer/main.ts
  var start = async (app) => {
    const report = await Report.read();
    const store = new Store(report);
    const search = new Search(store);
    const help = makeHelp(report.head.writtenBy);
    const panel = new Panel(store);
    const overview = new Overview(store);
    const side = new SidePanel(store);
    const close = () => {
      if (store.state.event >= 0)
        store.set({ event: -1 });
      else if (store.state.search !== "" || store.state.least > 0)
        store.set({ search: "", least: 0 });
      else
        store.set({ lane: -1 });
      panel.focus();
    };
    const inspector = new Inspector(store, close);
    const repaint = () => {
      panel.repaint();
      overview.build();
      inspector.refresh();
    };
    const theme = () => {
      document.documentElement.dataset.theme = isDark() ? "light" : "dark";
      repaint();
    };
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
    const trouble = (by) => side.stepTrouble(by);
    const header = new Header(store, { help: help.open, theme, trouble });
    const status = el("p", { class: "visually-hidden", role: "status", "aria-live": "polite" });
    const showOpened = () => {
      app.dataset.event = store.state.event >= 0 ? "open" : "none";
    };
    showOpened();
    store.listen((changed) => {
      if (!changed.has("event") && !changed.has("lane"))
        return;
      showOpened();
      const { event, lane } = store.state;
      status.textContent = event >= 0 ? `${event + 1} of ${report.size}. ${momentText(report.at[event], store.zone)}. ${plain(`${report.tagOf(event)}, ${report.laneText(report.lane[event])}: ${report.sentence(event)}`)}` : lane >= 0 ? plain(`${report.head.lanes[lane].kind} ${report.laneText(lane)}`) : "";
    });
    listenToKeys(store, {
      focusSearch: () => header.focusSearch(),
      focusInspector: () => inspector.focus(),
      focusTimeline: () => panel.focus(),
      visibleLanes: () => panel.visibleLanes(),
      neighbour: (by) => side.neighbour(by),
      help: help.open,
      close,
      theme,
      trouble
    });
    const main = el("main", {}, side.element, el("div", { class: "centre" }, overview.element, panel.element), inspector.element);
    app.replaceChildren(header.element, main, status, help.element);
    await report.readSentences();
    search.run();
    side.show();
    inspector.refresh();
    app.dataset.ready = "yes";
    performance.mark("chronode-ready");
  };
  var isDark = () => {
    const { theme } = document.documentElement.dataset;
    return theme === undefined ? matchMedia("(prefers-color-scheme: dark)").matches : theme === "dark";
  };
  var app = document.getElementById("app");
  if (app !== null)
    start(app).catch((error) => {
      app.replaceChildren(el("p", { class: "failed", role: "alert" }, `This report cannot be shown: ${error instanceof Error ? error.message : String(error)}. It may be incomplete; write it again.`));
      throw error;
    });
})();
